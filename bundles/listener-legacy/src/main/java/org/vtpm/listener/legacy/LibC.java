package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import jnr.ffi.types.mode_t;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/**
 * What named pipes need from the C library and the JDK does not offer: making one, and waiting for several with a
 * time-out. Buffers are direct; they are used from their position on. Public, because the generated binding lives in
 * another class loader.
 */
public interface LibC {
    /** Makes a FIFO. */
    int mkfifo(String path, @mode_t int mode);

    /** open(2) without O_CREAT: only then has it no third argument. */
    int open(String path, int flags);

    /** Closes a descriptor. */
    int close(int fd);

    /** Reads into {@code buffer}; answers the number of bytes. */
    @ssize_t
    long read(int fd, ByteBuffer buffer, @size_t long count);

    /** Writes from {@code buffer}; answers the number of bytes. */
    @ssize_t
    long write(int fd, ByteBuffer buffer, @size_t long count);

    /** Waits for descriptors; {@code fds} is an array of {@code struct pollfd}. */
    int poll(ByteBuffer fds, long count, int timeoutMillis);

    /** A descriptor that another thread can make readable. */
    int eventfd(int initial, int flags);

    /** What an errno means, in words. */
    String strerror(int errno);

    /** The user that this process acts as. */
    int geteuid();
}
