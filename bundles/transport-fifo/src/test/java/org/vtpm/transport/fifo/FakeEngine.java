package org.vtpm.transport.fifo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;

/** Does what the ordinal says, and notices two users at a time. */
final class FakeEngine implements Engine {
    /** Answers with locality and parameters. */
    static final int ECHO = 1;
    /** Saves the parameters as permanent state. */
    static final int SAVE = 2;
    /** Saves 300,000 bytes of permanent state and erases the saved state. */
    static final int SAVE_MUCH = 3;
    /** Saves twice: first the parameters as saved state, then as permanent state. */
    static final int SAVE_TWICE = 4;
    /** Saves more than a message can hold. */
    static final int SAVE_TOO_MUCH = 5;
    /** Answers with 4096 bytes. */
    static final int LARGE = 6;
    /** Begins, and goes on when {@link #release} is called. */
    static final int SLOW = 7;
    /** Breaks the engine's contract. */
    static final int THROW = 8;

    static final int SUCCESS = 0;
    static final int FAIL = 9;

    final CountDownLatch begun = new CountDownLatch(1);
    final AtomicInteger executed = new AtomicInteger();
    /** What a snapshot holds; none can be taken while it is empty. */
    volatile byte[] snapshot = muchState();

    private final CountDownLatch goOn = new CountDownLatch(1);
    private final AtomicInteger users = new AtomicInteger();

    static byte[] command(int ordinal, byte... parameters) {
        return packet(0xC1, ordinal, parameters);
    }

    static byte[] response(int code, byte... parameters) {
        return packet(0xC4, code, parameters);
    }

    static int code(byte[] response) {
        return ByteBuffer.wrap(response).getInt(6);
    }

    /** State as {@link #SAVE_MUCH} saves it. */
    static byte[] muchState() {
        byte[] state = new byte[300_000];
        for (int i = 0; i < state.length; i++) {
            state[i] = (byte) (i / 7);
        }
        return state;
    }

    private static byte[] packet(int tag, int code, byte... parameters) {
        return ByteBuffer.allocate(10 + parameters.length)
                .putShort((short) tag)
                .putInt(10 + parameters.length)
                .putInt(code)
                .put(parameters)
                .array();
    }

    void release() {
        goOn.countDown();
    }

    @Override
    public byte[] execute(int locality, byte[] command, StateSink sink) {
        if (users.incrementAndGet() != 1) {
            throw new IllegalStateException("two users at a time");
        }
        try {
            executed.incrementAndGet();
            return run(locality, command, sink);
        } catch (IOException e) {
            return response(FAIL);
        } finally {
            users.decrementAndGet();
        }
    }

    private byte[] run(int locality, byte[] command, StateSink sink) throws IOException {
        byte[] parameters = Arrays.copyOfRange(command, 10, command.length);
        switch (ByteBuffer.wrap(command).getInt(6)) {
            case ECHO -> {
                byte[] echo = new byte[1 + parameters.length];
                echo[0] = (byte) locality;
                System.arraycopy(parameters, 0, echo, 1, parameters.length);
                return response(SUCCESS, echo);
            }
            case SAVE -> sink.save(Map.of(StateKind.PERMANENT, parameters));
            case SAVE_MUCH -> sink.save(Map.of(StateKind.PERMANENT, muchState(), StateKind.SAVED, new byte[0]));
            case SAVE_TWICE -> {
                sink.save(Map.of(StateKind.SAVED, parameters));
                sink.save(Map.of(StateKind.PERMANENT, parameters));
            }
            case SAVE_TOO_MUCH -> sink.save(Map.of(StateKind.PERMANENT, new byte[1 << 20]));
            case LARGE -> {
                return response(SUCCESS, new byte[4086]);
            }
            case SLOW -> {
                begun.countDown();
                awaitRelease();
            }
            default -> throw new IllegalStateException("broken engine");
        }
        return response(SUCCESS);
    }

    private void awaitRelease() {
        try {
            if (!goOn.await(30, TimeUnit.SECONDS)) {
                throw new IllegalStateException("never released");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] snapshot() {
        if (users.incrementAndGet() != 1) {
            throw new IllegalStateException("two users at a time");
        }
        try {
            byte[] taken = snapshot;
            if (taken.length == 0) {
                throw new IllegalStateException("broken engine");
            }
            return taken.clone();
        } finally {
            users.decrementAndGet();
        }
    }

    @Override
    public void close() {}
}
