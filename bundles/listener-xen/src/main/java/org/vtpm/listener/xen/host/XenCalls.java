package org.vtpm.listener.xen.host;

import java.nio.ByteBuffer;
import jnr.ffi.Pointer;
import jnr.ffi.types.intptr_t;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;
import jnr.ffi.types.u_int64_t;
import org.jspecify.annotations.Nullable;

/**
 * What Xen's devices need from the C library and the JDK does not offer. Buffers are direct; they are used from their
 * position on. Public, because the generated binding lives in another class loader.
 */
public interface XenCalls {
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

    /** Asks a device for something; the structure is changed in place. */
    int ioctl(int fd, @u_int64_t long request, ByteBuffer structure);

    /**
     * Maps memory; answers where, or -1. Addresses are no numbers here, because jnr-ffi 2.3.4 loses the offset of a function
     * with six arguments that are all numbers.
     */
    Pointer mmap(@Nullable Pointer address, @size_t long length, int protection, int flags, int fd, @off_t long offset);

    /** Takes a mapping away. */
    int munmap(@intptr_t long address, @size_t long length);

    /** What an errno means, in words. */
    String strerror(int errno);
}
