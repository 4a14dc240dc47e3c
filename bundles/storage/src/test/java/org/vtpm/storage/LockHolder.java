package org.vtpm.storage;

import java.nio.file.Path;
import org.vtpm.storage.disk.PosixDisk;

/** A second process that has a storage folder open until it is killed. */
final class LockHolder {
    private LockHolder() {}

    public static void main(String[] arguments) throws Exception {
        try (JournalStore store = Samples.open(new PosixDisk(), Path.of(arguments[0]), new TestRoot())) {
            System.out.println("locked");
            System.in.read();
            store.instances();
        }
    }
}
