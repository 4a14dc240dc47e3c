package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends another thread's wait in poll. Safe for use by several threads. */
final class Waker {
    private static final Logger LOG = LoggerFactory.getLogger(Waker.class);

    private final Posix posix;
    private final int fd;
    private final ByteBuffer counter =
            ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(0, 1);
    private boolean closed;

    Waker(Posix posix) throws IOException {
        this.posix = posix;
        fd = posix.openEvent();
    }

    /** Readable after {@link #wake}, until {@link #clear}. */
    int fd() {
        return fd;
    }

    synchronized void wake() {
        if (closed) {
            return;
        }
        try {
            posix.write(fd, counter.clear());
        } catch (IOException e) {
            LOG.error("The thread for FIFOs cannot be woken: {}", e.getMessage());
        }
    }

    synchronized void clear() throws IOException {
        posix.read(fd, counter.clear());
        counter.putLong(0, 1);
    }

    synchronized void close() {
        closed = true;
        posix.close(fd);
    }
}
