package org.vtpm.listener.swtpm;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.manager.GuestChannel;

/**
 * An instance that answers each command with the command's own body under a response header, so that a test can tell
 * whose answer it got.
 */
final class FakeInstance implements GuestChannel {
    private static final UUID ID = UUID.fromString("6f1d2c1e-0000-4000-8000-000000000001");

    /** A command under way, for tests that complete it themselves. */
    record Held(byte[] command, CompletableFuture<byte[]> response) {
        void complete() {
            response.complete(answer(command));
        }
    }

    private final TpmFamily family;
    private final Executor executor;
    private final int padding;

    /** Commands whose answer the test gives itself; used if the executor is {@link #HOLD}. */
    final Queue<Held> held = new ConcurrentLinkedQueue<>();

    final AtomicInteger executed = new AtomicInteger();

    /** Commands that were carried out by the thread that was offered for it. */
    final AtomicInteger executedHere = new AtomicInteger();

    private boolean lasts;

    /** Marks an instance that leaves its commands unanswered. */
    static final Executor HOLD = task -> {
        throw new AssertionError("nothing is run here");
    };

    private FakeInstance(TpmFamily family, Executor executor, int padding) {
        this.family = family;
        this.executor = executor;
        this.padding = padding;
    }

    static FakeInstance direct() {
        return new FakeInstance(TpmFamily.TPM_1_2, Runnable::run, 0);
    }

    static FakeInstance on(Executor executor) {
        return new FakeInstance(TpmFamily.TPM_1_2, executor, 0);
    }

    /** Its commands last: the thread that is offered carries one out only if it may take its time. */
    static FakeInstance lasting(Executor executor) {
        FakeInstance instance = on(executor);
        instance.lasts = true;
        return instance;
    }

    static FakeInstance holding() {
        return on(HOLD);
    }

    static FakeInstance of(TpmFamily family) {
        return new FakeInstance(family, Runnable::run, 0);
    }

    /** Answers with {@code size} bytes whatever the command's length. */
    static FakeInstance answering(int size) {
        return new FakeInstance(TpmFamily.TPM_1_2, Runnable::run, size);
    }

    @Override
    public UUID instance() {
        return ID;
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public TpmFamily family() {
        return family;
    }

    @Override
    public CompletableFuture<byte[]> execute(int locality, byte[] command) {
        if (locality != 0 || ByteBuffer.wrap(command).getInt(2) != command.length) {
            return CompletableFuture.failedFuture(new AssertionError("not one whole command at locality 0"));
        }
        executed.incrementAndGet();
        if (executor == HOLD) {
            Held next = new Held(command, new CompletableFuture<>());
            held.add(next);
            return next.response();
        }
        byte[] answer = answer(command);
        byte[] response = padding == 0 ? answer : Arrays.copyOf(answer, padding);
        ByteBuffer.wrap(response).putInt(2, response.length);
        return CompletableFuture.supplyAsync(() -> response, executor);
    }

    @Override
    public CompletableFuture<byte[]> executeHere(int locality, byte[] command, BooleanSupplier mayLast) {
        if (!lasts) {
            return execute(locality, command);
        }
        if (mayLast.getAsBoolean()) {
            executedHere.incrementAndGet();
            return execute(locality, command);
        }
        return CompletableFuture.supplyAsync(() -> execute(locality, command).join(), task -> new Thread(task).start());
    }

    static byte[] command(int size, int seed) {
        ByteBuffer out = ByteBuffer.allocate(size).putShort((short) 0x00C1).putInt(size);
        out.putInt(seed);
        for (int i = 10; i < size; i++) {
            out.put((byte) (seed + i));
        }
        return out.array();
    }

    /** What every fake instance answers: the command's body and ordinal, tag 0x00C4. */
    static byte[] answer(byte[] command) {
        byte[] response = command.clone();
        ByteBuffer.wrap(response).putShort((short) 0x00C4);
        return response;
    }
}
