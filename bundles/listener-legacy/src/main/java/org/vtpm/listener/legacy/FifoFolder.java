package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * The folder of the FIFOs: mode 0700, its FIFOs 0600, all of them our own. The FIFOs stay when the listener goes, as the
 * original's did: a backend that holds them open finds the next listener, and a script waits for it.
 */
final class FifoFolder {
    private static final Set<PosixFilePermission> FOLDER_MODE = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> FIFO_MODE = PosixFilePermissions.fromString("rw-------");
    private static final int S_IFMT = 0170000;
    private static final int S_IFIFO = 0010000;

    private final Posix posix;
    private final Path folder;

    private FifoFolder(Posix posix, Path folder) {
        this.posix = posix;
        this.folder = folder;
    }

    /**
     * Makes the folder if it is missing.
     *
     * @throws IOException if it cannot be made, or something else is there
     */
    static FifoFolder prepare(Posix posix, Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(FOLDER_MODE));
        } else if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(folder + " is not a folder (symbolic links are refused)");
        }
        FifoFolder result = new FifoFolder(posix, folder);
        result.requireOurs(folder);
        Files.setPosixFilePermissions(folder, FOLDER_MODE);
        return result;
    }

    /**
     * Opens a FIFO in the folder, which is made if it is missing.
     *
     * @throws IOException if it cannot be made, or something else has its name
     */
    int open(String name) throws IOException {
        Path path = folder.resolve(name);
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            posix.makeFifo(path);
        }
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & S_IFMT) != S_IFIFO) {
            throw new IOException(path + " exists and is not a FIFO; move it away");
        }
        requireOurs(path);
        Files.setPosixFilePermissions(path, FIFO_MODE);
        return posix.openFifo(path);
    }

    private void requireOurs(Path path) throws IOException {
        int owner = (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        if (owner != posix.user()) {
            throw new IOException(path + " belongs to user " + owner + " and not to the manager's user " + posix.user()
                    + "; remove it or give it to the manager");
        }
    }
}
