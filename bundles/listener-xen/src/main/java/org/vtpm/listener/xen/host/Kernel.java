package org.vtpm.listener.xen.host;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/** {@link XenCalls} with failures turned into exceptions. Constants are those of Linux on x86-64 and AArch64. */
public final class Kernel {
    static final short POLLIN = 0x001;

    static final int EAGAIN = 11;
    static final int EFBIG = 27;
    private static final int EINTR = 4;

    private static final int O_RDWR = 02;
    private static final int O_NONBLOCK = 04000;
    private static final int O_CLOEXEC = 02000000;

    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_SHARED = 0x01;

    private final XenCalls calls;
    private final Runtime runtime;

    private Kernel(XenCalls calls) {
        this.calls = calls;
        runtime = Runtime.getRuntime(calls);
    }

    /**
     * Binds the C library.
     *
     * @throws LinkageError if jnr-ffi brings no native library for this machine
     */
    public static Kernel load() {
        return new Kernel(LibraryLoader.create(XenCalls.class).failImmediately().load("libc.so.6"));
    }

    /** Memory for a structure that the kernel reads and writes. */
    static ByteBuffer structure(int size) {
        return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    }

    /** Opens a device; reads and writes do not block. */
    int open(Path device) throws IOException {
        int fd = calls.open(device.toString(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            throw failure("Cannot open " + device);
        }
        return fd;
    }

    int openEvent() throws IOException {
        int fd = calls.eventfd(0, O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            throw failure("Cannot make an event descriptor");
        }
        return fd;
    }

    void close(int fd) {
        calls.close(fd);
    }

    /** Reads into a buffer from its position on; answers the number of bytes, or an errno below zero. */
    int read(int fd, ByteBuffer into) {
        long count = calls.read(fd, into, into.remaining());
        return count < 0 ? -runtime.getLastError() : (int) count;
    }

    void write(int fd, ByteBuffer from) throws IOException {
        if (calls.write(fd, from, from.remaining()) < 0 && runtime.getLastError() != EAGAIN) {
            throw failure("Cannot write");
        }
    }

    /** Waits until one of {@code struct pollfd} is ready; -1 waits for good. */
    void poll(ByteBuffer fds, int timeoutMillis) throws IOException {
        if (calls.poll(fds, fds.remaining() / 8, timeoutMillis) < 0 && runtime.getLastError() != EINTR) {
            throw failure("Cannot wait for events");
        }
    }

    /** Asks a device for something; answers what the device did, 0 or more. */
    int ioctl(int fd, long request, ByteBuffer structure, String what) throws IOException {
        int result = calls.ioctl(fd, request, structure);
        if (result < 0) {
            throw failure(what);
        }
        return result;
    }

    /** Maps a device's memory; answers its address. */
    long map(int fd, long offset, int length, String what) throws IOException {
        long address = calls.mmap(null, length, PROT_READ_WRITE, MAP_SHARED, fd, offset)
                .address();
        if (address == -1) {
            throw failure(what);
        }
        return address;
    }

    void unmap(long address, int length) throws IOException {
        if (calls.munmap(address, length) < 0) {
            throw failure("Cannot give a page back");
        }
    }

    private IOException failure(String what) {
        return new IOException(what + ": " + calls.strerror(runtime.getLastError()));
    }
}
