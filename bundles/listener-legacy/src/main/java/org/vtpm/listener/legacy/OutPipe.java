package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way out to a peer. Frames are written whole and in the order they come, by the thread that brings them if the FIFO
 * takes them at once. Nobody has to read: what does not fit waits, the oldest frame goes first when too many do. Safe for
 * use by several threads; {@link #writable} and {@link #withdraw} belong to the server's thread.
 */
final class OutPipe {
    private static final Logger LOG = LoggerFactory.getLogger(OutPipe.class);

    /** Frames that wait besides those in the FIFO itself, which holds 64 KiB. */
    static final int MAX_WAITING = 256;

    private final Posix posix;
    private final String name;
    private final int fd;
    private final Runnable blocked;
    private final ByteBuffer current = ByteBuffer.allocateDirect(Frame.MAX).flip();
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    private boolean dropping;
    private boolean closed;
    private boolean withdrawn = true;
    private long lastSent;

    /** @param blocked told when frames wait, on the thread that brought one */
    OutPipe(Posix posix, String name, int fd, Runnable blocked) {
        this.posix = posix;
        this.name = name;
        this.fd = fd;
        this.blocked = blocked;
    }

    int fd() {
        return fd;
    }

    /** Sends one frame of at most {@link Frame#MAX} bytes. */
    void send(byte[] frame) {
        boolean waits;
        synchronized (this) {
            if (closed) {
                return;
            }
            waiting.add(frame);
            lastSent = System.nanoTime();
            withdrawn = false;
            flush();
            if (waiting.size() > MAX_WAITING) {
                waiting.remove();
                reportDropping();
            }
            waits = wantsWritable();
        }
        if (waits) {
            blocked.run();
        }
    }

    /** Whether frames wait for the FIFO to take more. */
    synchronized boolean wantsWritable() {
        return !closed && (current.hasRemaining() || !waiting.isEmpty());
    }

    /** The FIFO takes more. */
    synchronized void writable() {
        if (!closed) {
            flush();
        }
    }

    /**
     * Takes back what nobody has read for so long that whoever it was for must be gone: the next reader would take it for
     * the answer to its own request.
     */
    synchronized void withdraw(Duration age) {
        if (closed || withdrawn || System.nanoTime() - lastSent < age.toNanos()) {
            return;
        }
        withdrawn = true;
        long bytes = waiting.stream().mapToLong(frame -> frame.length).sum() + current.remaining();
        waiting.clear();
        current.clear();
        try {
            while (posix.read(fd, current)) {
                bytes += current.position();
                current.clear();
            }
        } catch (IOException e) {
            LOG.warn("Cannot take unread answers back from {}: {}", name, e.getMessage());
        }
        current.clear().flip();
        if (bytes > 0) {
            LOG.warn(
                    "Took {} bytes of answers back from {}: nobody has read them for {} seconds",
                    bytes,
                    name,
                    age.toSeconds());
        }
    }

    synchronized void close() {
        if (!closed) {
            closed = true;
            waiting.clear();
            posix.close(fd);
        }
    }

    private void flush() {
        try {
            while (wantsWritable()) {
                if (!current.hasRemaining()) {
                    current.clear().put(waiting.remove()).flip();
                }
                if (!posix.write(fd, current)) {
                    return;
                }
            }
            dropping = false;
        } catch (IOException e) {
            LOG.error("Cannot write answers to {}: {}", name, e.getMessage());
            waiting.clear();
            current.clear().flip();
        }
    }

    private void reportDropping() {
        if (!dropping) {
            dropping = true;
            LOG.warn("Nobody reads {}: the oldest answers are being dropped", name);
        }
    }
}
