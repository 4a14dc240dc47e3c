package org.vtpm.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The host's own file system, on Linux. Files are made with mode 0600 and folders with 0700: neither is ever open to others. */
public final class PosixDisk implements Disk {
    private static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<Set<PosixFilePermission>> FOLDER_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    private static final Set<OpenOption> WRITE_NEW =
            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, LinkOption.NOFOLLOW_LINKS);
    private static final Set<OpenOption> WRITE_OLD_OR_NEW =
            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE, LinkOption.NOFOLLOW_LINKS);

    // stat(2): the type of a file in st_mode, and the bits that open it to its group and to others.
    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int FOLDER = 0040000;
    private static final int OTHERS = 0077;

    private final int user;

    public PosixDisk() throws IOException {
        // The kernel gives /proc/self to the effective user of the process; Java has no call for it.
        user = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    @Override
    public void makeFolders(Path folder) throws IOException {
        if (!exists(folder)) {
            Path parent = folder.toAbsolutePath().getParent();
            if (parent != null && !Files.isDirectory(parent)) {
                makeFolders(parent);
            }
            makeFolder(folder);
            if (parent != null) {
                syncFolder(parent);
            }
        }
        check(folder, FOLDER);
    }

    @Override
    public void makeFolder(Path folder) throws IOException {
        Files.createDirectory(folder, FOLDER_MODE);
    }

    @Override
    public boolean exists(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public List<String> list(Path folder) throws IOException {
        check(folder, FOLDER);
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                names.add(String.valueOf(entry.getFileName()));
            }
        }
        Collections.sort(names);
        return names;
    }

    @Override
    public byte[] read(Path file, int limit) throws IOException {
        check(file.resolveSibling(""), FOLDER);
        check(file, REGULAR);
        try (FileChannel channel = FileChannel.open(file, READ)) {
            long size = channel.size();
            if (size > limit) {
                throw new IOException(file + " has " + size + " bytes, more than the " + limit + " that can be in it");
            }
            ByteBuffer content = ByteBuffer.allocate((int) size);
            while (content.hasRemaining()) {
                if (channel.read(content) < 0) {
                    throw new IOException(file + " became shorter while it was read");
                }
            }
            return content.array();
        }
    }

    @Override
    public void write(Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, WRITE_NEW, FILE_MODE)) {
            ByteBuffer rest = ByteBuffer.wrap(content);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
    }

    @Override
    public AppendFile create(Path file) throws IOException {
        FileChannel.open(file, WRITE_NEW, FILE_MODE).close();
        return open(file, true);
    }

    @Override
    public AppendFile open(Path file, boolean writable) throws IOException {
        check(file.resolveSibling(""), FOLDER);
        check(file, REGULAR);
        return new PosixAppendFile(file, writable);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, READ)) {
            channel.force(true);
        }
    }

    @Override
    public void remove(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            check(path, REGULAR);
        }
        Files.delete(path);
    }

    @Override
    public Closeable lock(Path file) throws IOException {
        if (exists(file)) {
            check(file, REGULAR);
        }
        FileChannel channel = FileChannel.open(file, WRITE_OLD_OR_NEW, FILE_MODE);
        @Nullable FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            throw new IOException(file + " is locked by another store in this process", e);
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        if (lock == null) {
            throw new IOException(file + " is locked by another process");
        }
        return channel;
    }

    private void check(Path path, int type) throws IOException {
        int mode = attribute(path, "unix:mode");
        int owner = attribute(path, "unix:uid");
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
