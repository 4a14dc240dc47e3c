package org.vtpm.manager;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.vtpm.api.engine.TpmFamily;

/**
 * Runs one instance's commands, one at a time in the order they came, and gives up on an engine that does not answer. What
 * an operator does with the engine takes its turn among them.
 */
final class CommandRunner {
    private static final Logger LOG = LoggerFactory.getLogger(CommandRunner.class);
    private static final String MDC_INSTANCE = "vtpm.instance";

    /** Whose commands these are. */
    interface Owner {
        String name();

        TpmFamily family();

        /** The engine that answers now, or null if none does. */
        @Nullable
        EngineHost host();

        /** This engine answers no more; from now on {@link #host} is another or null. False if it was so already. */
        boolean failed(EngineHost host, String reason);
    }

    /** What an engine is asked for. */
    @FunctionalInterface
    private interface Request {
        byte[] make() throws IOException, InterruptedException;
    }

    /**
     * What an engine is busy with.
     *
     * @param name of the request, for people
     */
    private record Running(
            EngineHost host, Supplier<String> name, long since, Thread thread, CompletableFuture<byte[]> response) {}

    private final Owner owner;
    private final Supplier<Settings> settings;
    private final WorkerPool pool;
    private final Lane lane;
    private final AtomicLong answered = new AtomicLong();
    private final Faults faults = new Faults();
    private volatile @Nullable Running running;
    /** The last command got no answer from its engine. Used on the lane only. */
    private boolean unreachable;

    CommandRunner(Owner owner, Supplier<Settings> settings, WorkerPool pool) {
        this.owner = owner;
        this.settings = settings;
        this.pool = pool;
        this.lane = new Lane(pool);
    }

    /** Commands answered since the last {@link #restart}. */
    long answered() {
        return answered.get();
    }

    /** Another engine will answer. */
    void restart() {
        answered.set(0);
        faults.restart();
    }

    /** Queues a guest's command. */
    CompletableFuture<byte[]> execute(int locality, byte[] command) {
        CompletableFuture<byte[]> response = new CompletableFuture<>();
        if (mayQueue(response)) {
            lane.submit(answering(locality, command, response));
        }
        return response;
    }

    /**
     * Runs a guest's command on the calling thread if nothing else is to be done and the command is brief, or may last; or
     * queues it.
     */
    CompletableFuture<byte[]> executeHere(int locality, byte[] command, BooleanSupplier mayLast) {
        CompletableFuture<byte[]> response = new CompletableFuture<>();
        if (mayQueue(response)) {
            lane.submitHere(() -> isBrief(command) || mayLast.getAsBoolean(), answering(locality, command, response));
        }
        return response;
    }

    /** Answers at once if too much waits already. */
    private boolean mayQueue(CompletableFuture<byte[]> response) {
        return lane.waiting() < settings.get().queueLimit() || !response.complete(Responses.retry(owner.family()));
    }

    private boolean isBrief(byte[] command) {
        EngineHost host = owner.host();
        try {
            return host != null && host.isBrief(command);
        } catch (RuntimeException | Error e) {
            // Asked on a listener's thread. Whatever is wrong with the engine shows when the command runs.
            LOG.debug("Whether a command is brief cannot be told", e);
            return false;
        }
    }

    /** Queues something to do between two commands. */
    void submit(Runnable task) {
        lane.submit(named(task));
    }

    /** With the instance's name in what is logged meanwhile, and what nobody expected to be thrown too. */
    private Runnable named(Runnable task) {
        return () -> {
            MDC.put(MDC_INSTANCE, owner.name());
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                faults.log(owner.name(), "what was to be done between two commands was not done to its end", e);
            } finally {
                MDC.remove(MDC_INSTANCE);
            }
        };
    }

    /** Answers a guest's command in any case: with a failure, if there is nothing better. */
    private Runnable answering(int locality, byte[] command, CompletableFuture<byte[]> response) {
        Runnable answering = named(() -> answer(locality, command, response));
        return () -> {
            try {
                answering.run();
            } finally {
                if (!response.isDone()) {
                    response.complete(Responses.failure(owner.family()));
                }
            }
        };
    }

    private void answer(int locality, byte[] command, CompletableFuture<byte[]> response) {
        EngineHost host = owner.host();
        if (host == null) {
            return;
        }
        try {
            byte[] answer = execute(host, locality, command, response);
            answered.incrementAndGet();
            unreachable = false;
            response.complete(answer);
        } catch (IOException e) {
            logUnreachable(command, e);
        } catch (InterruptedException e) {
            LOG.debug("Given up", e);
        } catch (RuntimeException | Error e) {
            // No engine should throw either. The next command finds the TPM as it was before this one: a change counts
            // once the whole of it is done.
            faults.log(owner.name(), "command " + Responses.ordinal(command) + " was answered with a failure", e);
        }
    }

    /** Once until the engine answers again: a guest repeats what fails. */
    private void logUnreachable(byte[] command, IOException cause) {
        if (!unreachable) {
            LOG.warn(
                    "Command {} was answered with a failure, and so is every other until its engine answers again: {}",
                    Responses.ordinal(command),
                    cause.getMessage());
        }
        unreachable = true;
    }

    /**
     * Runs a command at once; between two commands of the guest, or before the first.
     *
     * @throws InterruptedException if it was given up; the host has been ended then
     */
    byte[] execute(EngineHost host, int locality, byte[] command) throws IOException, InterruptedException {
        return execute(host, locality, command, new CompletableFuture<>());
    }

    private byte[] execute(EngineHost host, int locality, byte[] command, CompletableFuture<byte[]> response)
            throws IOException, InterruptedException {
        return run(
                host, () -> "command " + Responses.ordinal(command), () -> host.execute(locality, command), response);
    }

    /**
     * Takes a snapshot between two commands of the guest.
     *
     * @return the volatile part of the engine's state; the caller zeroes it
     * @throws InterruptedException if it was given up; the host has been ended then
     */
    byte[] snapshot(EngineHost host) throws IOException, InterruptedException {
        return run(host, () -> "the request for a snapshot", host::snapshot, new CompletableFuture<>());
    }

    /**
     * Moves to another engine between two commands of the guest, or lets the TPM wait for one.
     *
     * @throws IOException if what it was doing is lost, or its state cannot be opened; the caller ends it
     * @throws InterruptedException if it was given up; the host has been ended then
     */
    void move(EngineHost host) throws IOException, InterruptedException {
        Request move = () -> {
            host.move();
            return new byte[0];
        };
        run(host, () -> "the request to leave its engine", move, new CompletableFuture<>());
    }

    private byte[] run(EngineHost host, Supplier<String> name, Request request, CompletableFuture<byte[]> response)
            throws IOException, InterruptedException {
        Running mine = new Running(host, name, System.nanoTime(), Thread.currentThread(), response);
        running = mine;
        boolean settled = false;
        try {
            byte[] answer = request.make();
            settled = settle(mine);
            if (settled) {
                return answer;
            }
        } finally {
            if (!settled && !settle(mine)) {
                // Given up long ago: nobody waits for the answer, and nobody else uses this engine.
                Thread.interrupted();
                host.end();
                pool.threadFound();
            }
        }
        throw new InterruptedException("given up");
    }

    /** Whether the request is still its own thread's to end, and not given up. */
    private synchronized boolean settle(Running mine) {
        if (!mine.equals(running)) {
            return false;
        }
        running = null;
        return true;
    }

    /** Gives up on the engine if it has been busy with one request for too long. */
    void checkTimeout(long now) {
        Running busy = running;
        long limit = settings.get().commandTimeout().toNanos();
        if (busy != null && now - busy.since() > limit) {
            giveUp(
                    busy,
                    busy.name().get() + " was not answered within "
                            + settings.get().commandTimeout().toMillis() + " ms");
        }
    }

    /** The engine is gone: whoever waits for it need not. */
    void hostDied(EngineHost host, String reason) {
        Running busy = running;
        if (busy != null && busy.host() == host && giveUp(busy, reason)) {
            return;
        }
        if (owner.failed(host, reason)) {
            host.kill();
        }
    }

    /**
     * Ends a request in its thread's stead: the owner learns of it, the guest gets a failure and the lane goes on without
     * the thread. The first part is under the lock that {@link #settle} takes, so that the thread cannot move on to
     * another instance before it is interrupted.
     */
    private boolean giveUp(Running busy, String reason) {
        synchronized (this) {
            if (!busy.equals(running)) {
                return false;
            }
            running = null;
            owner.failed(busy.host(), reason);
            pool.threadLost();
            lane.abandon();
            busy.thread().interrupt();
        }
        busy.host().kill();
        busy.response().complete(Responses.failure(owner.family()));
        return true;
    }
}
