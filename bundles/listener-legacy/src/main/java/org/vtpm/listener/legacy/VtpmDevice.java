package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code /dev/vtpm}, by which a Xen 3.x dom0's kernel (tpmback) brings the commands of all its PV guests and takes their
 * answers. It may come and go with its driver: it is looked for again and again. Guests that have nobody to bring their
 * commands to get TPM_FAIL from the kernel.
 *
 * <p>The kernel hands a request out in as many reads as one likes, but a read that asks for more than is left of it fails.
 * So each read asks for no more: first for the prefix and the header, then for what the header says. An answer is taken
 * whole by one write, or refused if its guest is gone. The kernel lets one process open the device at a time.
 */
final class VtpmDevice implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VtpmDevice.class);

    /** Within the 30 seconds that the kernel keeps a request for somebody to fetch it. */
    static final Duration RETRY = Duration.ofSeconds(10);

    /** Longest request that a ring of ten pages holds: its size is a 16-bit number. */
    private static final int LONGEST_REQUEST = 0xFFFF;

    private static final int SIZE_AT = Frame.PREFIX + 2;
    private static final int S_IFMT = 0170000;
    private static final int S_IFCHR = 0020000;
    private static final int NOTHING = -1;
    private static final long CLOSE_MILLIS = 10_000;

    private final Posix posix;
    private final Path path;
    private final FrameHandler handler;
    private final Duration frameTimeout;
    private final Duration retry;
    private final Waker waker;
    private final ByteBuffer in = ByteBuffer.allocateDirect(Frame.MAX);
    private final ByteBuffer fds =
            ByteBuffer.allocateDirect(2 * Posix.POLLFD_SIZE).order(ByteOrder.nativeOrder());
    private final Thread thread;
    private volatile boolean closing;
    private @Nullable String trouble;

    /**
     * Starts to look for the device.
     *
     * @param frameTimeout how long the rest of a request may take; the kernel has all of it at once
     * @param retry how long to wait before looking for a device that is missing, busy, or went away
     */
    VtpmDevice(Posix posix, Path path, FrameHandler handler, Duration frameTimeout, Duration retry) throws IOException {
        this.posix = posix;
        this.path = path;
        this.handler = handler;
        this.frameTimeout = frameTimeout;
        this.retry = retry;
        waker = new Waker(posix);
        thread = new Thread(this::run, "vtpm-legacy-device");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        closing = true;
        waker.wake();
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closing) {
                Optional<Integer> opened = open();
                if (opened.isPresent()) {
                    try (Answers answers = new Answers(opened.get())) {
                        serve(opened.get(), answers);
                    }
                }
                if (!closing) {
                    ready(NOTHING, retry);
                }
            }
        } catch (IOException e) {
            LOG.error("{} is served no more: restart the bundle of the legacy listener", path, e);
        } finally {
            waker.close();
        }
    }

    private Optional<Integer> open() {
        try {
            if (!Files.exists(path)) {
                report("there is none; PV guests of Xen 3.x need the kernel's TPM backend driver (tpmback)");
                return Optional.empty();
            }
            int mode = (Integer) Files.getAttribute(path, "unix:mode");
            if ((mode & S_IFMT) != S_IFCHR) {
                report("it is not a character device; move it away, or configure another one");
                return Optional.empty();
            }
            int fd = posix.openDevice(path);
            trouble = null;
            LOG.info("Serving the PV guests of Xen 3.x on {}", path);
            return Optional.of(fd);
        } catch (PosixException e) {
            report(e.getMessage() + "; " + advice(e.errno()));
        } catch (IOException e) {
            report(e.getMessage() + "; let the manager's user look at it");
        }
        return Optional.empty();
    }

    /** What to do about a device that cannot be opened. */
    static String advice(int errno) {
        return switch (errno) {
            case PosixException.EPERM, PosixException.EBUSY ->
                "another process has it: end that, such as vtpm_managerd";
            case PosixException.ENOENT, PosixException.ENXIO, PosixException.ENODEV ->
                "load the kernel's TPM backend driver (tpmback)";
            default -> "let the manager's user open it";
        };
    }

    /** Once for each kind of trouble, not at every attempt. */
    private void report(String what) {
        if (!what.equals(trouble)) {
            trouble = what;
            LOG.info("{} is not served: {}. It is looked for every {} seconds", path, what, retry.toSeconds());
        }
    }

    /** Brings requests to the handler until this closes or the device fails. */
    private void serve(int fd, Answers answers) throws IOException {
        boolean aborted = false;
        while (ready(fd, null)) {
            try {
                if (!receive(fd, answers)) {
                    if (!closing) {
                        LOG.warn("What comes from {} is no request: it is opened anew", path);
                    }
                    return;
                }
                aborted = false;
            } catch (PosixException e) {
                // The kernel says so once if the guest of a half-fetched request is gone; a device that is gone,
                // always.
                if (e.errno() != PosixException.EIO || aborted) {
                    LOG.warn("{} is not served any more: {}. It is looked for again", path, e.getMessage());
                    return;
                }
                aborted = true;
            }
        }
    }

    /** Fetches one request; answers false if its header cannot be one, or its rest does not come. */
    private boolean receive(int fd, Answers answers) throws IOException {
        byte[] frame = new byte[Frame.MIN];
        if (!fetch(fd, frame, 0, Frame.MIN)) {
            return false;
        }
        long instance = Integer.toUnsignedLong(ByteBuffer.wrap(frame).getInt());
        long size = Integer.toUnsignedLong(ByteBuffer.wrap(frame).getInt(SIZE_AT));
        if (size < Frame.HEADER || size > LONGEST_REQUEST) {
            return false;
        }
        int length = Frame.PREFIX + (int) size;
        frame = Arrays.copyOf(frame, length);
        if (!fetch(fd, frame, Frame.MIN, length)) {
            return false;
        }
        if (length > Frame.MAX) {
            answers.send(handler.refuse(instance));
            return true;
        }
        try {
            handler.handle(frame, answers::send);
        } catch (RuntimeException e) {
            // A fault in the code for one frame must not end the thread that serves all.
            LOG.error("Unexpected fault while serving {}", path, e);
        }
        return true;
    }

    /** Fills a part of a frame; answers false if it does not come. */
    private boolean fetch(int fd, byte[] frame, int from, int to) throws IOException {
        int at = from;
        while (at < to) {
            in.clear().limit(Math.min(in.capacity(), to - at));
            int count = posix.readSome(fd, in);
            if (count == Posix.NONE_NOW && ready(fd, frameTimeout)) {
                continue;
            }
            if (count <= 0) {
                return false;
            }
            in.flip().get(frame, at, count);
            at += count;
        }
        return true;
    }

    /**
     * Waits until there is something to read; answers false if there is not in time, or this closes.
     *
     * @param timeout null to wait for good
     */
    private boolean ready(int fd, @Nullable Duration timeout) throws IOException {
        long end = timeout == null ? 0 : System.nanoTime() + timeout.toNanos();
        while (!closing) {
            long left = timeout == null
                    ? -1
                    : Math.max(0, Duration.ofNanos(end - System.nanoTime()).toMillis() + 1);
            fds.clear();
            fds.putInt(waker.fd()).putShort(Posix.POLLIN).putShort((short) 0);
            fds.putInt(fd).putShort(Posix.POLLIN).putShort((short) 0);
            posix.poll(fds.flip(), (int) left);
            if (fds.getShort(2 * Posix.POLLFD_SIZE - Short.BYTES) != 0) {
                return true;
            }
            if (timeout != null && System.nanoTime() - end >= 0) {
                return false;
            }
        }
        return false;
    }

    /** The way back to the guests while the device is open. Safe for use by several threads. */
    private final class Answers implements AutoCloseable {
        private final int fd;
        private final ByteBuffer out = ByteBuffer.allocateDirect(Frame.MAX);
        private boolean closed;
        private long lost;

        private Answers(int fd) {
            this.fd = fd;
        }

        /** Sends one frame; one that the kernel does not take has no guest any more that waits for it. */
        private synchronized void send(byte[] frame) {
            if (closed) {
                return;
            }
            out.clear().put(frame).flip();
            String why = "it took a part of it";
            try {
                posix.write(fd, out);
            } catch (IOException e) {
                why = e.getMessage();
            }
            // Powers of two: often enough to be seen, seldom enough not to fill the log.
            if (out.hasRemaining() && Long.bitCount(++lost) == 1) {
                LOG.warn(
                        "{} did not take the answer to guest {}: {} ({} so far)",
                        path,
                        Integer.toUnsignedLong(ByteBuffer.wrap(frame).getInt()),
                        why,
                        lost);
            }
        }

        @Override
        public synchronized void close() {
            closed = true;
            posix.close(fd);
        }
    }
}
