package org.vtpm.transport.fifo;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import jnr.ffi.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits on all pipes with one thread, and hands each that becomes readable to an executor. */
final class Poller implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(Poller.class);
    private static final int BATCH = 64;
    private static final long STOP = 0;

    private final Posix posix;
    private final Executor executor;
    private final int epoll;
    private final int stop;
    private final Thread thread;
    private final AtomicLong ids = new AtomicLong(STOP);
    private final AtomicBoolean closed = new AtomicBoolean();

    /** By a number that is never used again, unlike a descriptor: a late event must not reach the wrong pipe. */
    private final Map<Long, Watch> watches = new ConcurrentHashMap<>();

    Poller(Posix posix, Executor executor) throws IOException {
        this.posix = posix;
        this.executor = executor;
        epoll = posix.epoll();
        try {
            stop = posix.eventDescriptor();
        } catch (IOException e) {
            posix.close(epoll);
            throw e;
        }
        try {
            posix.arm(epoll, stop, STOP, false);
        } catch (IOException e) {
            posix.close(stop);
            posix.close(epoll);
            throw e;
        }
        thread = new Thread(this::poll, "vtpm-fifo-poller");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Watches the reading end of a pipe. Nothing happens until the watch is armed.
     *
     * @param ready runs on the executor each time the pipe became readable after it was armed
     */
    Watch watch(Path fifo, Runnable ready) throws IOException {
        Watch watch = new Watch(ids.incrementAndGet(), posix.openToWatch(fifo), ready);
        watches.put(watch.id, watch);
        return watch;
    }

    private void poll() {
        Pointer events = posix.events(BATCH);
        try {
            while (true) {
                int count = posix.await(epoll, events, BATCH);
                for (int n = 0; n < count; n++) {
                    long id = Posix.id(events, n);
                    if (id == STOP) {
                        return;
                    }
                    Watch watch = watches.get(id);
                    if (watch != null) {
                        hand(watch);
                    }
                }
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("The pipes of all instances cannot be watched any more; restart the bundle transport-fifo", e);
        }
    }

    /** One instance that finds no thread must not keep the others from theirs; its command will run out of time. */
    private void hand(Watch watch) {
        try {
            executor.execute(watch.ready);
        } catch (RuntimeException | OutOfMemoryError e) {
            LOG.error("No thread for an instance's command", e);
        }
    }

    /** Stops the thread and waits for its end. All watches must have been closed. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            posix.signal(stop);
            thread.join();
        } catch (IOException e) {
            LOG.error("The poller cannot be stopped", e);
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        posix.close(stop);
        posix.close(epoll);
    }

    /** One watched pipe. */
    final class Watch implements Closeable {
        private final long id;
        private final int descriptor;
        private final Runnable ready;
        private boolean armed;
        private boolean closed;

        private Watch(long id, int descriptor, Runnable ready) {
            this.id = id;
            this.descriptor = descriptor;
            this.ready = ready;
        }

        /** Asks for one report, at once if there is something to read already. */
        synchronized void arm() throws IOException {
            if (!closed) {
                posix.arm(epoll, descriptor, id, armed);
                armed = true;
            }
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                watches.remove(id);
                posix.close(descriptor);
            }
        }
    }
}
