package org.vtpm.transport.fifo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import jnr.ffi.LastError;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** Named pipes and readiness on Linux: calls of the C library with their errors as exceptions. Thread-safe. */
final class Posix {
    private static final int EINTR = 4;
    private static final int ENXIO = 6;
    private static final int OWNER_ONLY = 0600;
    private static final int O_RDONLY = 0;
    private static final int O_WRONLY = 1;
    private static final int O_NONBLOCK = 04000;
    private static final int O_CLOEXEC = 02000000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int EPOLLIN = 1;
    private static final int EPOLLONESHOT = 1 << 30;

    /** {@code struct epoll_event}: u32 events, u64 data. Only x86-64 packs it. */
    private static final boolean PACKED = System.getProperty("os.arch", "").matches("amd64|x86_64");

    private static final int EVENT_SIZE = PACKED ? 12 : 16;
    private static final int DATA_OFFSET = PACKED ? 4 : 8;

    private final LibC libc;
    private final Runtime runtime;

    private Posix(LibC libc) {
        this.libc = libc;
        this.runtime = Runtime.getRuntime(libc);
    }

    /**
     * Binds the C library.
     *
     * @throws RuntimeException or a LinkageError if native calls do not work here
     */
    static Posix load() {
        return new Posix(LibraryLoader.create(LibC.class).failImmediately().load("libc.so.6"));
    }

    int effectiveUser() {
        return libc.geteuid();
    }

    /** Makes a named pipe for its owner only. */
    void makeFifo(Path path) throws IOException {
        check(libc.mkfifo(path.toString(), OWNER_ONLY), "mkfifo " + path);
    }

    /** Whether anybody, this process included, has a named pipe open for reading. */
    boolean hasReader(Path fifo) throws IOException {
        int descriptor = libc.open(fifo.toString(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (descriptor < 0 && LastError.getLastError(runtime) == ENXIO) {
            return false;
        }
        close(check(descriptor, "open " + fifo));
        return true;
    }

    /** Opens a named pipe to watch it; nothing is read through this descriptor. */
    int openToWatch(Path fifo) throws IOException {
        return check(libc.open(fifo.toString(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open " + fifo);
    }

    void close(int descriptor) {
        libc.close(descriptor);
    }

    int eventDescriptor() throws IOException {
        return check(libc.eventfd(0, O_CLOEXEC | O_NONBLOCK), "eventfd");
    }

    /** Makes an event descriptor readable. */
    void signal(int eventDescriptor) throws IOException {
        byte[] one = new byte[Long.BYTES];
        Arrays.fill(one, (byte) 1);
        check((int) libc.write(eventDescriptor, one, one.length), "write to an eventfd");
    }

    int epoll() throws IOException {
        return check(libc.epoll_create1(O_CLOEXEC), "epoll_create1");
    }

    /**
     * Has a descriptor report once that it can be read or that its other end is closed. It is forgotten when it is closed.
     *
     * @param known whether this was asked of the descriptor before
     */
    void arm(int epoll, int descriptor, long id, boolean known) throws IOException {
        Pointer event = Memory.allocateDirect(runtime, EVENT_SIZE);
        event.putInt(0, EPOLLIN | EPOLLONESHOT);
        event.putLongLong(DATA_OFFSET, id);
        check(libc.epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, event), "epoll_ctl");
    }

    /** Room for the answers of {@link #await}. */
    Pointer events(int maximum) {
        return Memory.allocateDirect(runtime, maximum * EVENT_SIZE);
    }

    /** Waits until something is ready; returns how many are. */
    int await(int epoll, Pointer events, int maximum) throws IOException {
        int count = libc.epoll_wait(epoll, events, maximum, -1);
        if (count < 0 && LastError.getLastError(runtime) == EINTR) {
            return 0;
        }
        return check(count, "epoll_wait");
    }

    /** The id of the n-th that is ready. */
    static long id(Pointer events, int n) {
        return events.getLongLong((long) n * EVENT_SIZE + DATA_OFFSET);
    }

    private int check(int result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": " + libc.strerror(LastError.getLastError(runtime)));
        }
        return result;
    }
}
