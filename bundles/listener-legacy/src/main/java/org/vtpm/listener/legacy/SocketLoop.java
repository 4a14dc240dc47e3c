package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread that waits for all sockets. It never waits for anything else, so no guest can hold up another. */
final class SocketLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketLoop.class);

    private static final long PATIENCE_SECONDS = 10;

    /** How often deadlines are looked at while there are any. */
    private static final long TICK_MILLIS = 250;

    private final Selector selector;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    /** Used by the loop's thread only. */
    private final Set<Timed> timed = new HashSet<>();

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(Frame.MAX);
    private final Thread thread;
    private volatile boolean closing;

    /** What is done, on the loop's thread, when a channel is ready. */
    interface Handler {
        void ready() throws IOException;
    }

    /** Something that must be looked at when nothing else happens, on the loop's thread. */
    interface Timed {
        void tick(long nanoTime);
    }

    SocketLoop() throws IOException {
        selector = Selector.open();
        thread = new Thread(this::run, "vtpm-legacy-sockets");
        thread.setDaemon(true);
        thread.start();
    }

    /** Waits for a channel that does not block; on the loop's thread. */
    SelectionKey register(SelectableChannel channel, int operations, Handler handler) throws IOException {
        return channel.register(selector, operations, handler);
    }

    /** Ticks {@code item} until {@link #unwatch}; on the loop's thread. */
    void watch(Timed item) {
        timed.add(item);
    }

    /** Ends {@link #watch}; on the loop's thread. */
    void unwatch(Timed item) {
        timed.remove(item);
    }

    /** The buffer for reading, empty; on the loop's thread, until it returns. */
    ByteBuffer buffer() {
        return buffer.clear();
    }

    /** Has the loop's thread do something; from any thread. */
    void execute(Runnable task) {
        tasks.add(task);
        selector.wakeup();
    }

    /** A task that fails as sockets do. */
    interface Task {
        void run() throws IOException;
    }

    /** Has the loop's thread do something, and waits for it. */
    void call(Task task) throws IOException {
        CompletableFuture<Void> done = new CompletableFuture<>();
        execute(() -> {
            try {
                task.run();
                done.complete(null);
            } catch (IOException | RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        try {
            done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException("the thread for sockets does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() {
        closing = true;
        selector.wakeup();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try (selector) {
            while (!closing) {
                selector.select(timed.isEmpty() ? 0 : TICK_MILLIS);
                List<SelectionKey> ready = List.copyOf(selector.selectedKeys());
                selector.selectedKeys().clear();
                ready.forEach(SocketLoop::serve);
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                    attempt(task);
                }
                tick();
            }
        } catch (IOException e) {
            LOG.error("The sockets of HVM guests are served no more: restart the bundle of the legacy listener", e);
        }
    }

    private void tick() {
        if (!timed.isEmpty()) {
            long now = System.nanoTime();
            List.copyOf(timed).forEach(item -> attempt(() -> item.tick(now)));
        }
    }

    private static void serve(SelectionKey key) {
        try {
            ((Handler) key.attachment()).ready();
        } catch (CancelledKeyException e) {
            LOG.debug("A socket was closed meanwhile", e);
        } catch (IOException | RuntimeException e) {
            LOG.error("Unexpected fault while serving a socket: it is closed", e);
            key.cancel();
        }
    }

    /** A fault in one task must not end the thread that serves all. */
    private static void attempt(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.error("Unexpected fault while serving sockets", e);
        }
    }
}
