package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/** {@link LibC} with its failures turned into exceptions. Constants are those of Linux on x86-64 and AArch64. */
final class Posix {
    /** {@code poll} events. */
    static final short POLLIN = 0x001;

    static final short POLLOUT = 0x004;

    /** Nothing can be read now, but perhaps later. */
    static final int NONE_NOW = -1;

    /** Size of {@code struct pollfd}: a descriptor, the events wanted and the events found. */
    static final int POLLFD_SIZE = 8;

    private static final int O_RDWR = 02;
    private static final int O_NOCTTY = 0400;
    private static final int O_NONBLOCK = 04000;
    private static final int O_CLOEXEC = 02000000;
    private static final int EFD_NONBLOCK = O_NONBLOCK;
    private static final int EFD_CLOEXEC = O_CLOEXEC;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int OWNER_ONLY = 0600;

    private final LibC libc;
    private final Runtime runtime;

    private Posix(LibC libc) {
        this.libc = libc;
        runtime = Runtime.getRuntime(libc);
    }

    /**
     * Binds the C library.
     *
     * @throws LinkageError if jnr-ffi brings no native library for this machine
     */
    static Posix load() {
        return new Posix(LibraryLoader.create(LibC.class).failImmediately().load("libc.so.6"));
    }

    int user() {
        return libc.geteuid();
    }

    /** Makes a FIFO with mode 0600. */
    void makeFifo(Path path) throws IOException {
        if (libc.mkfifo(path.toString(), OWNER_ONLY) != 0) {
            throw failure("Cannot make the FIFO " + path);
        }
    }

    /**
     * Opens both ends of a FIFO, so that it never waits for a peer and never sees one leave; reads and writes do not
     * block.
     */
    int openFifo(Path path) throws IOException {
        int fd = libc.open(path.toString(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            throw failure("Cannot open the FIFO " + path);
        }
        return fd;
    }

    /** Opens a character device for both directions. */
    int openDevice(Path path) throws PosixException {
        int fd = libc.open(path.toString(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            throw failure("Cannot open " + path);
        }
        return fd;
    }

    int openEvent() throws IOException {
        int fd = libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fd < 0) {
            throw failure("Cannot make an event descriptor");
        }
        return fd;
    }

    void close(int fd) {
        libc.close(fd);
    }

    /** Reads into a direct buffer and moves its position; answers whether there was anything. */
    boolean read(int fd, ByteBuffer buffer) throws IOException {
        return readSome(fd, buffer) > 0;
    }

    /** As {@link #read}; answers the number of bytes, 0 at the end of the file, or {@link #NONE_NOW}. */
    int readSome(int fd, ByteBuffer buffer) throws IOException {
        return moved(buffer, () -> libc.read(fd, buffer, buffer.remaining()), "Cannot read");
    }

    /** Writes from a direct buffer and moves its position; answers whether anything could be taken. */
    boolean write(int fd, ByteBuffer buffer) throws IOException {
        return moved(buffer, () -> libc.write(fd, buffer, buffer.remaining()), "Cannot write") > 0;
    }

    /** Waits until one of {@code fds} is ready; -1 waits for good. */
    void poll(ByteBuffer fds, int timeoutMillis) throws IOException {
        if (libc.poll(fds, fds.remaining() / POLLFD_SIZE, timeoutMillis) < 0) {
            if (runtime.getLastError() != EINTR) {
                throw failure("Cannot wait for FIFOs");
            }
            for (int i = fds.position(); i < fds.limit(); i += POLLFD_SIZE) {
                fds.putShort(i + 6, (short) 0);
            }
        }
    }

    private interface Transfer {
        long run();
    }

    private int moved(ByteBuffer buffer, Transfer transfer, String what) throws IOException {
        long count;
        do {
            count = transfer.run();
        } while (count < 0 && runtime.getLastError() == EINTR);
        if (count < 0) {
            if (runtime.getLastError() == EAGAIN) {
                return NONE_NOW;
            }
            throw failure(what);
        }
        buffer.position(buffer.position() + (int) count);
        return (int) count;
    }

    private PosixException failure(String what) {
        int errno = runtime.getLastError();
        return new PosixException(what + ": " + libc.strerror(errno), errno);
    }
}
