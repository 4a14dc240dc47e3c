package org.vtpm.listener.swtpm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.codec.stream.CommandAssembler;

/**
 * The one thread that waits for all sockets of the listener, and sleeps for good while no guest sends anything. It is lent to
 * commands that are answered in a moment. Should one of them not come back, a stand-in goes on with the sockets in its
 * place, so that one guest cannot hold up another. Before a command that lasts, the two change places, which spares a guest
 * who is alone the wait for another thread.
 */
final class SelectorLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SelectorLoop.class);

    /** How often deadlines are looked at while there are any. */
    private static final long TICK_MILLIS = 250;

    private static final long CALL_TIMEOUT_SECONDS = 10;

    /** After how long the thread that was lent is given up; far more than what a moment takes on a busy host. */
    private static final long LOAN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long NOT_LENT = 0;

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

    /**
     * Who does what; any other thread of this class ends. Replaced as a whole, so that a thread never finds that it has neither
     * part while it is given the other.
     *
     * @param loop serves the sockets
     * @param standIn null while it carries out a command that lasts
     */
    private record Crew(Thread loop, @Nullable Thread standIn) {}

    private final Selector selector;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    /** Channels that are ready and had no turn yet. Like all that follows, used by the loop's thread only. */
    private final Deque<SelectionKey> ready = new ArrayDeque<>();

    private final Set<Timed> timed = new HashSet<>();
    private final ByteBuffer readBuffer = ByteBuffer.allocateDirect(CommandAssembler.MAX_COMMAND);
    /** When the thread was lent, in odd nanoseconds. Whoever sets it back to {@link #NOT_LENT} goes on with the loop. */
    private final AtomicLong lent = new AtomicLong(NOT_LENT);

    private final CountDownLatch ended = new CountDownLatch(1);
    /** Commands that were begun and not answered, on whatever thread. */
    private final AtomicInteger underWay = new AtomicInteger();

    /** Written holding this object's monitor. */
    private volatile Crew crew;

    private volatile boolean standInSleeps;
    private volatile boolean closing;

    SelectorLoop() throws IOException {
        selector = Selector.open();
        Thread first = newThread();
        Thread second = newThread();
        crew = new Crew(first, second);
        first.start();
        second.start();
    }

    private Thread newThread() {
        Thread made = new Thread(this::run, "vtpm-listener-swtpm");
        made.setDaemon(true);
        return made;
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

    /**
     * Does something that returns in a moment, or asks for {@link #handOver} before, on the loop's own thread. If it does not
     * return, another thread goes on with the loop: neither the work nor, when this has returned, its caller may touch
     * anything that belongs to the loop's thread.
     *
     * @return false if nothing was done, because there is no stand-in to watch
     */
    boolean lend(Runnable work) {
        Thread watcher = crew.standIn();
        if (watcher == null) {
            return false;
        }
        long since = System.nanoTime() | 1;
        lent.set(since);
        if (standInSleeps) {
            LockSupport.unpark(watcher);
        }
        try {
            work.run();
        } finally {
            if (!lent.compareAndSet(since, NOT_LENT)) {
                comeBack();
            }
        }
        return true;
    }

    /** Stands in, if nobody does: then it was this thread that handed the loop over, or another one that will not be missed. */
    private synchronized void comeBack() {
        Crew now = crew;
        if (now.standIn() == null) {
            crew = new Crew(now.loop(), Thread.currentThread());
        }
    }

    private synchronized void assign(Thread loop, @Nullable Thread standIn) {
        crew = new Crew(loop, standIn);
    }

    /**
     * Lets the stand-in go on with the loop, since what the thread was lent for will last; the caller stands in when it
     * is done. No more than one thread is away so. While there are other commands they may want the disk or another engine
     * together, and are better off with threads of their own.
     *
     * @return whether the caller may take its time
     */
    boolean handOver() {
        if (!onLoop()) {
            return true;
        }
        Thread next = crew.standIn();
        if (next == null || underWay.get() > 1) {
            return false;
        }
        long since = lent.get();
        if (since != NOT_LENT && lent.compareAndSet(since, NOT_LENT)) {
            assign(next, null);
            LockSupport.unpark(next);
        }
        return true;
    }

    /** A command is begun; from any thread. */
    void commandBegins() {
        underWay.incrementAndGet();
    }

    /** A command is answered; from any thread. */
    void commandEnds() {
        underWay.decrementAndGet();
    }

    /** Ends the threads. Registered channels must have been closed. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
        LockSupport.unpark(crew.standIn());
        try {
            if (!ended.await(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("The socket listener's thread does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean onLoop() {
        return Thread.currentThread() == crew.loop();
    }

    /** One of the two threads: serves the sockets, or waits for its turn to. */
    private void run() {
        try {
            while (!closing) {
                Crew now = crew;
                if (now.loop() == Thread.currentThread()) {
                    turn();
                } else if (now.standIn() == Thread.currentThread()) {
                    standBy();
                } else {
                    return;
                }
            }
            if (onLoop()) {
                runTasks();
                end();
            }
        } catch (IOException | ClosedSelectorException e) {
            LOG.error("The socket listener has stopped: its guests cannot reach their TPMs until it is restarted", e);
            end();
        }
    }

    /** Does what there is to do now, or waits for it. Ends early when the thread was given up. */
    private void turn() throws IOException {
        runTasks();
        if (onLoop() && ready.isEmpty()) {
            select();
        }
        while (onLoop() && !ready.isEmpty()) {
            SelectionKey next = ready.remove();
            if (next.isValid()) {
                guarded(() -> ((Handler) next.attachment()).ready(next));
            }
        }
        if (onLoop() && !timed.isEmpty()) {
            tick();
        }
    }

    private void select() throws IOException {
        if (tasks.isEmpty()) {
            selector.select(ready::add, timed.isEmpty() ? 0 : TICK_MILLIS);
        } else {
            selector.selectNow(ready::add);
        }
    }

    private void end() {
        try {
            selector.close();
        } catch (IOException e) {
            LOG.debug("Closing the selector", e);
        }
        closing = true;
        LockSupport.unpark(crew.standIn());
        ended.countDown();
    }

    /** Waits for the loop to be handed over, or for a loan that lasts too long. Sleeps while there are none. */
    private void standBy() {
        long seen = NOT_LENT;
        while (!closing && !onLoop()) {
            long since = lent.get();
            if (since != NOT_LENT && System.nanoTime() - since > LOAN_NANOS && takeOver(since)) {
                return;
            }
            if (since == NOT_LENT && seen == NOT_LENT) {
                standInSleeps = true;
                if (lent.get() == NOT_LENT && !closing && !onLoop()) {
                    LockSupport.park(this);
                }
                standInSleeps = false;
            } else {
                LockSupport.parkNanos(this, LOAN_NANOS);
            }
            seen = since;
        }
    }

    /** In one step for {@link #comeBack}: a thread whose loan is over never finds itself still the loop's. */
    private synchronized boolean takeOver(long since) {
        if (!lent.compareAndSet(since, NOT_LENT)) {
            return false;
        }
        LOG.debug("A command did not return the thread that serves the sockets in time; another one goes on");
        Thread next = newThread();
        assign(Thread.currentThread(), next);
        next.start();
        return true;
    }

    /** Runs the tasks that are there now; those that they add wait until the sockets had their turn. */
    private void runTasks() {
        for (int left = tasks.size(); left > 0 && onLoop(); left--) {
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
            selector.selectNow(ready::add);
        } catch (IOException e) {
            LOG.warn("Sockets that were closed may keep their address for a while", e);
        }
    }
}
