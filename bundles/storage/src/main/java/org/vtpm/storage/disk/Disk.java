package org.vtpm.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What storage needs of a file system and nothing more, so that a test can make every step of it fail. Folders and files
 * belong to this process alone: one that is a link, of another kind, another user's or open to others is refused with an
 * {@link IOException} that says so. Messages name the path.
 */
public interface Disk {
    /** Makes a folder and those above it that are missing, durably; checks it if it is there. */
    void makeFolders(Path folder) throws IOException;

    /** Makes one folder, which must not exist. */
    void makeFolder(Path folder) throws IOException;

    /** Whether there is anything of that name, be it a dangling link. */
    boolean exists(Path path) throws IOException;

    /** The names in a folder, sorted. */
    List<String> list(Path folder) throws IOException;

    /**
     * A whole file.
     *
     * @param limit length in bytes above which it is refused unread
     * @throws java.nio.file.NoSuchFileException if it is missing
     */
    byte[] read(Path file, int limit) throws IOException;

    /** Writes a file, which must not exist, and makes its content durable; its name is so after {@link #syncFolder}. */
    void write(Path file, byte[] content) throws IOException;

    /** Makes a file, which must not exist, and leaves it open; its name is durable after {@link #syncFolder}. */
    AppendFile create(Path file) throws IOException;

    /**
     * Opens a file.
     *
     * @param writable whether it is to be written; if not, writing fails
     * @throws java.nio.file.NoSuchFileException if it is missing
     */
    AppendFile open(Path file, boolean writable) throws IOException;

    /** Gives a file or folder another name at once, replacing a file of that name; durable after {@link #syncFolder}. */
    void rename(Path from, Path to) throws IOException;

    /** Makes the names in a folder durable. */
    void syncFolder(Path folder) throws IOException;

    /** Removes a file or an empty folder. */
    void remove(Path path) throws IOException;

    /**
     * Keeps every other process, and every other store in this one, out of a folder.
     *
     * @param file the lock file; made if it is missing, and left behind
     * @throws IOException if another holds the lock
     */
    Closeable lock(Path file) throws IOException;
}
