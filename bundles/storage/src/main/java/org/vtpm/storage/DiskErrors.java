package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What errors of the disk mean, for people. */
final class DiskErrors {
    private DiskErrors() {}

    static String describe(IOException e) {
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + " is missing";
        }
        if (e instanceof FileSystemException failed && failed.getFile() != null) {
            return failed.getFile() + ": " + (failed.getReason() == null ? "access denied" : failed.getReason());
        }
        return String.valueOf(e.getMessage());
    }
}
