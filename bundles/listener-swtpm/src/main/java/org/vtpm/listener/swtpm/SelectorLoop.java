package org.vtpm.listener.swtpm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
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
import org.vtpm.codec.stream.CommandAssembler;

/**
 * The one thread that waits for all sockets of the listener. It never runs anything that can block, so one guest cannot
 * hold up another, and it sleeps for good while no guest sends anything.
 */
final class SelectorLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SelectorLoop.class);

    /** How often deadlines are looked at while there are any. */
    private static final long TICK_MILLIS = 250;

    private static final long CALL_TIMEOUT_SECONDS = 10;

    /** Attached to every key: handles what its channel is ready for, on the loop's thread. */
    interface Handler {
        void ready(SelectionKey key);
    }

    /** Something that must be looked at when nothing else happens, on the loop's thread. */
    interface Timed {
        void tick(long nanoTime);
    }

    /** Work on sockets. */
    @FunctionalInterface
    interface SocketTask {
        void run() throws IOException;
    }

    private final Selector selector;
    private final Thread thread;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Set<Timed> timed = new HashSet<>();
    private final ByteBuffer readBuffer = ByteBuffer.allocateDirect(CommandAssembler.MAX_COMMAND);
    private volatile boolean closing;

    SelectorLoop() throws IOException {
        selector = Selector.open();
        thread = new Thread(this::run, "vtpm-listener-swtpm");
        thread.setDaemon(true);
        thread.start();
    }

    /** Runs a task on the loop's thread, soon; from any thread. */
    void execute(Runnable task) {
        tasks.add(task);
        if (!onLoop()) {
            selector.wakeup();
        }
    }

    /**
     * Runs a task on the loop's thread and waits until it is done and channels it closed have released their descriptors.
     * From the loop's own thread it runs at once.
     *
     * @throws IOException if the task threw it, or the loop did not get to the task
     */
    void call(SocketTask task) throws IOException {
        if (onLoop()) {
            task.run();
            return;
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        execute(() -> {
            try {
                task.run();
                releaseClosed();
                done.complete(null);
            } catch (IOException | RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        try {
            done.get(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for the socket thread", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IOException("the socket thread failed", e);
        } catch (TimeoutException e) {
            throw new IOException("the socket thread did not answer", e);
        }
    }

    /** Registers a non-blocking channel; on the loop's thread. */
    SelectionKey register(SelectableChannel channel, int operations, Handler handler) throws IOException {
        return channel.register(selector, operations, handler);
    }

    /** Ticks {@code item} until {@link #unwatch}; on the loop's thread. */
    void watch(Timed item) {
        timed.add(item);
    }

    void unwatch(Timed item) {
        timed.remove(item);
    }

    /** One buffer for all reads, because all reads are on the loop's thread. Cleared for the caller. */
    ByteBuffer readBuffer() {
        return readBuffer.clear();
    }

    /** Ends the thread. Registered channels must have been closed. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(CALL_TIMEOUT_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean onLoop() {
        return Thread.currentThread() == thread;
    }

    private void run() {
        try (selector) {
            while (!closing) {
                runTasks();
                if (!tasks.isEmpty()) {
                    selector.selectNow(SelectorLoop::dispatch);
                } else {
                    selector.select(SelectorLoop::dispatch, timed.isEmpty() ? 0 : TICK_MILLIS);
                }
                if (!timed.isEmpty()) {
                    tick();
                }
            }
            runTasks();
        } catch (IOException | ClosedSelectorException e) {
            LOG.error("The socket listener has stopped: its guests cannot reach their TPMs until it is restarted", e);
        }
    }

    /** Runs the tasks that are there now; those that they add wait until the sockets had their turn. */
    private void runTasks() {
        for (int left = tasks.size(); left > 0; left--) {
            Runnable task = tasks.poll();
            if (task == null) {
                return;
            }
            guarded(task);
        }
    }

    private void tick() {
        long now = System.nanoTime();
        for (Timed item : List.copyOf(timed)) {
            guarded(() -> item.tick(now));
        }
    }

    private static void dispatch(SelectionKey key) {
        guarded(() -> ((Handler) key.attachment()).ready(key));
    }

    /** A fault in the code for one guest must not end the thread that serves all. */
    private static void guarded(Runnable work) {
        try {
            work.run();
        } catch (CancelledKeyException e) {
            LOG.debug("A socket was closed while it was being served", e);
        } catch (RuntimeException e) {
            LOG.error("Unexpected fault while serving a guest's socket", e);
        }
    }

    /** A channel's descriptor is closed for good only when the selector has let go of its key. */
    private void releaseClosed() {
        try {
            selector.selectNow(SelectorLoop::dispatch);
        } catch (IOException e) {
            LOG.warn("Sockets that were closed may keep their address for a while", e);
        }
    }
}
