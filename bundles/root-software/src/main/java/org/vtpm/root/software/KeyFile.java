package org.vtpm.root.software;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Set;
import org.vtpm.crypto.Secrets;

/** A file with a key in it, mode 0600 in a folder of mode 0700, both this user's own. Links are refused. */
final class KeyFile {
    /** Length of the key, and of the file, in bytes. */
    static final int LENGTH = 32;

    private static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<Set<PosixFilePermission>> FOLDER_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    private static final Set<OpenOption> WRITE_NEW =
            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, LinkOption.NOFOLLOW_LINKS);

    // stat(2): the type of a file in st_mode, and the bits that open it to its group and to others.
    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int FOLDER = 0040000;
    private static final int OTHERS = 0077;

    private final Path file;
    private final Path folder;

    KeyFile(Path file) {
        this.file = file.toAbsolutePath();
        this.folder = this.file.resolveSibling("");
    }

    Path path() {
        return file;
    }

    boolean exists() {
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * The key; the caller zeroes it.
     *
     * @throws IOException if the file is not one that only this user can have written and read
     */
    byte[] read() throws IOException {
        check(folder, FOLDER);
        check(file, REGULAR);
        try (FileChannel channel = FileChannel.open(file, READ)) {
            if (channel.size() != LENGTH) {
                throw new IOException(file + " has " + channel.size() + " bytes, but a key has " + LENGTH
                        + ": put the file back as it was");
            }
            ByteBuffer key = ByteBuffer.allocate(LENGTH);
            while (key.hasRemaining()) {
                if (channel.read(key) < 0) {
                    throw new IOException(file + " became shorter while it was read");
                }
            }
            return key.array();
        }
    }

    /** Makes the file with a random key, durably; leaves one that is there already. */
    void create() throws IOException {
        Files.createDirectories(folder, FOLDER_MODE);
        check(folder, FOLDER);
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(draft);
        byte[] key = new byte[LENGTH];
        new SecureRandom().nextBytes(key);
        try (FileChannel channel = FileChannel.open(draft, WRITE_NEW, FILE_MODE)) {
            ByteBuffer rest = ByteBuffer.wrap(key);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        } finally {
            Secrets.zero(key);
        }
        try {
            // A second name, unlike a rename, never replaces a key that somebody made meanwhile.
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException e) {
            check(file, REGULAR);
        } finally {
            Files.delete(draft);
        }
        sync(folder);
        sync(folder.resolveSibling(""));
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void check(Path path, int type) throws IOException {
        int mode = attribute(path, "unix:mode");
        int owner = attribute(path, "unix:uid");
        // The kernel gives /proc/self to the effective user of the process; Java has no call for it.
        int user = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        if ((mode & TYPE) != type) {
            throw new IOException(path + " is not a " + (type == FOLDER ? "folder" : "regular file")
                    + "; links and other kinds of files are refused");
        }
        if (owner != user) {
            throw new IOException(path + " belongs to user " + owner + ", but this process runs as user " + user);
        }
        if ((mode & OTHERS) != 0) {
            throw new IOException(String.format(
                    "%s has mode %04o, which opens it to other users: set it to %s",
                    path, mode & 07777, type == FOLDER ? "0700" : "0600"));
        }
    }

    private static int attribute(Path path, String name) throws IOException {
        return (Integer) Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
    }
}
