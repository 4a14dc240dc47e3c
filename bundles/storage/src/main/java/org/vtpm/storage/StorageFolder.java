package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.vtpm.storage.disk.Disk;
import org.vtpm.storage.key.HostKeyFile;

/** Where things lie in a storage folder, and how {@code host.key} is replaced: at once and durably. */
final class StorageFolder {
    private static final String LOCK = "lock";
    private static final String HOST_KEY = "host.key";
    private static final String NEXT_HOST_KEY = "host.key.new";
    private static final String JOURNAL = "journal";
    /** Where instances lay before there was a journal, in versions that were never released. */
    private static final String INSTANCES = "instances";

    private final Disk disk;
    private final Path root;

    StorageFolder(Disk disk, Path root) {
        this.disk = disk;
        this.root = root;
    }

    Disk disk() {
        return disk;
    }

    Path root() {
        return root;
    }

    Path lock() {
        return root.resolve(LOCK);
    }

    Path journal() {
        return root.resolve(JOURNAL);
    }

    Path hostKey() {
        return root.resolve(HOST_KEY);
    }

    Path nextHostKey() {
        return root.resolve(NEXT_HOST_KEY);
    }

    /** Whether the folder is one from before the journal. */
    boolean isOutdated() throws IOException {
        return disk.exists(root.resolve(INSTANCES));
    }

    /** Paths that nobody here put into the storage folder. */
    List<Path> strangers() throws IOException {
        List<Path> strangers = new ArrayList<>();
        for (String name : disk.list(root)) {
            if (!Set.of(LOCK, HOST_KEY, NEXT_HOST_KEY, JOURNAL).contains(name)) {
                strangers.add(root.resolve(name));
            }
        }
        return strangers;
    }

    HostKeyFile readHostKey(Path file) throws IOException {
        byte[] content = disk.read(file, HostKeyFile.LIMIT);
        try {
            return HostKeyFile.decode(content);
        } catch (IOException e) {
            throw new IOException(file + " cannot be used: " + e.getMessage(), e);
        }
    }

    /** Writes what {@code host.key} is to hold next, durably, without putting it there. */
    void draftHostKey(HostKeyFile next) throws IOException {
        if (disk.exists(nextHostKey())) {
            disk.remove(nextHostKey());
        }
        disk.write(nextHostKey(), next.encode());
        disk.syncFolder(root);
    }

    /** Puts the draft in the place of {@code host.key}. */
    void useDraft() throws IOException {
        disk.rename(nextHostKey(), hostKey());
        disk.syncFolder(root);
    }

    void replaceHostKey(HostKeyFile next) throws IOException {
        draftHostKey(next);
        useDraft();
    }
}
