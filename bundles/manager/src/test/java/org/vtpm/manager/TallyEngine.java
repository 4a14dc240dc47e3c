package org.vtpm.manager;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.engine.TpmFamily;

/** An engine that counts: each command adds one to its permanent state and answers with the sum. */
final class TallyEngine implements Engine {
    /** Ordinals that make it misbehave. */
    static final int HANG = 0xDEAD;

    static final int THROW = 0xBAD;

    final AtomicInteger inside = new AtomicInteger();
    final CountDownLatch release = new CountDownLatch(1);
    volatile boolean overlapped;
    volatile boolean closed;
    private int tally;

    TallyEngine(int tally) {
        this.tally = tally;
    }

    static byte[] command(int ordinal) {
        return ByteBuffer.allocate(10)
                .putShort((short) 0xC1)
                .putInt(10)
                .putInt(ordinal)
                .array();
    }

    static int tally(byte[] response) {
        return ByteBuffer.wrap(response).getInt(10);
    }

    @Override
    public byte[] execute(int locality, byte[] command, StateSink sink) {
        if (inside.incrementAndGet() != 1) {
            overlapped = true;
        }
        try {
            int ordinal = ByteBuffer.wrap(command).getInt(6);
            if (ordinal == HANG) {
                release.await();
            }
            if (ordinal == THROW) {
                throw new IllegalStateException("provoked");
            }
            tally++;
            sink.save(Map.of(StateKind.PERMANENT, new byte[] {(byte) tally}));
            return ByteBuffer.allocate(14)
                    .putShort((short) 0xC4)
                    .putInt(14)
                    .putInt(0)
                    .putInt(tally)
                    .array();
        } catch (InterruptedException e) {
            return Responses.failure(TpmFamily.TPM_1_2);
        } catch (IOException e) {
            tally--;
            return Responses.failure(TpmFamily.TPM_1_2);
        } finally {
            inside.decrementAndGet();
        }
    }

    @Override
    public int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] snapshot() {
        return new byte[] {(byte) tally};
    }

    @Override
    public void close() {
        closed = true;
    }

    /** Makes them, and remembers the last one. */
    static final class Factory implements EngineFactory {
        volatile TallyEngine last = new TallyEngine(0);
        volatile int startupOrdinal = 0x99;

        @Override
        public TpmFamily family() {
            return TpmFamily.TPM_1_2;
        }

        @Override
        public byte[] manufacture(boolean endorsementKey) {
            return new byte[] {0};
        }

        @Override
        public Engine open(Map<StateKind, byte[]> state) throws EngineStateException {
            byte[] permanent = state.get(StateKind.PERMANENT);
            if (permanent == null || permanent.length != 1) {
                throw new EngineStateException("the tally is missing");
            }
            last = new TallyEngine(permanent[0]);
            return last;
        }

        @Override
        public byte[] startupCommand(StartupMode mode) {
            return command(startupOrdinal);
        }
    }
}
