package org.vtpm.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that stays open, grows at its end and is read anywhere. Positions and lengths are in bytes. Threads may read while
 * another one writes; a thread that is interrupted neither stops an operation nor closes the file. Messages name the path.
 */
public interface AppendFile extends Closeable {
    /** Where the file lies now. */
    Path path();

    /** Its length. */
    long size() throws IOException;

    /**
     * Reads bytes.
     *
     * @throws java.io.EOFException if the file ends before them
     */
    byte[] read(long position, int length) throws IOException;

    /** Writes over what is there, or behind it. If this fails, any part of it may have been written. */
    void write(long position, byte[] bytes) throws IOException;

    /** Cuts the file off. */
    void truncate(long size) throws IOException;

    /**
     * Makes the content and length durable. If this fails, what was written since the last success may be lost though it
     * can still be read, and a later success says nothing of it.
     */
    void sync() throws IOException;

    /** Gives the file another name at once, replacing a file of that name; durable after {@link Disk#syncFolder}. */
    void rename(Path to) throws IOException;
}
