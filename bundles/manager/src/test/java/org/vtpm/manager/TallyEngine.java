package org.vtpm.manager;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.vtpm.api.engine.ConvertedState;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.engine.TpmModel;

/**
 * An engine that counts: each command adds one to its permanent state and to a number that is lost with the power, and is
 * answered with both, of which a byte each is kept. Behind the count its permanent state has the certificate of its endorsement key, if any.
 */
final class TallyEngine implements Engine {
    /** Ordinals that make it misbehave. */
    static final int HANG = 0xDEAD;

    static final int COMPUTE = 0xBEEF;

    static final int THROW = 0xBAD;

    /** Throws {@link #fault}. */
    static final int FAULT = 0xFA17;

    final AtomicInteger inside = new AtomicInteger();
    final CountDownLatch release = new CountDownLatch(1);
    volatile boolean overlapped;
    volatile boolean closed;
    private final byte[] state;
    volatile boolean brief;
    volatile boolean briefFails;
    volatile Error fault = new NoClassDefFoundError("provoked");
    volatile Thread lastThread = Thread.currentThread();
    volatile boolean snapshotHangs;
    volatile boolean snapshotFails;
    volatile boolean snapshotFaults;
    /** What the last snapshot is by now, given that whoever took it zeroes it. */
    volatile byte[] given = {};

    private int tally;
    private int sincePowerOn;

    TallyEngine(byte[] state, int sincePowerOn) {
        this.state = state.clone();
        this.tally = Byte.toUnsignedInt(state[0]);
        this.sincePowerOn = sincePowerOn;
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

    static int sincePowerOn(byte[] response) {
        return ByteBuffer.wrap(response).getInt(14);
    }

    @Override
    public byte[] execute(int locality, byte[] command, StateSink sink) {
        if (inside.incrementAndGet() != 1) {
            overlapped = true;
        }
        try {
            lastThread = Thread.currentThread();
            int ordinal = ByteBuffer.wrap(command).getInt(6);
            if (ordinal == HANG) {
                release.await();
            }
            if (ordinal == COMPUTE) {
                computeUntilReleased();
            }
            if (ordinal == THROW) {
                throw new IllegalStateException("provoked");
            }
            if (ordinal == FAULT) {
                throw fault;
            }
            tally++;
            state[0] = (byte) tally;
            sink.save(Map.of(StateKind.PERMANENT, state.clone()));
            sincePowerOn++;
            return ByteBuffer.allocate(18)
                    .putShort((short) 0xC4)
                    .putInt(18)
                    .putInt(0)
                    .putInt(tally)
                    .putInt(sincePowerOn)
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
    public boolean isBrief(byte[] command) {
        if (briefFails) {
            throw fault;
        }
        return brief;
    }

    @Override
    public int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] snapshot() {
        if (inside.incrementAndGet() != 1) {
            overlapped = true;
        }
        try {
            if (snapshotHangs) {
                computeUntilReleased();
            }
            if (snapshotFails) {
                throw new IllegalStateException("provoked");
            }
            if (snapshotFaults) {
                throw fault;
            }
            given = new byte[] {(byte) tally, (byte) sincePowerOn};
            return given;
        } finally {
            inside.decrementAndGet();
        }
    }

    /** As an engine that computes, it notices no interruption. */
    private void computeUntilReleased() {
        boolean interrupted = false;
        while (release.getCount() > 0) {
            try {
                release.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed = true;
    }

    /** Makes them, and remembers the last one. */
    static final class Factory implements EngineFactory {
        volatile TallyEngine last = new TallyEngine(new byte[1], 0);
        volatile int startupOrdinal = 0x99;
        final AtomicInteger opened = new AtomicInteger();
        /** Whether it takes no snapshot, as an engine of another make. */
        volatile boolean refuses;
        /** How often it has no memory to open one. */
        final AtomicInteger openFaults = new AtomicInteger();

        @Override
        public TpmFamily family() {
            return TpmFamily.TPM_1_2;
        }

        @Override
        public byte[] manufacture(boolean endorsementKey) {
            return new byte[] {0};
        }

        /** The first byte is the tally; with a second one it is damaged. */
        @Override
        public ConvertedState convert(ForeignState foreign) throws EngineStateException {
            if (foreign.content().length != 1) {
                throw new EngineStateException("it is no tally");
            }
            return new ConvertedState(foreign.content().clone(), List.of("It cannot tell who counted."));
        }

        @Override
        public TpmModel model() {
            return new TpmModel(1, "tally", 1, TpmFamily.TPM_1_2, 2, 116);
        }

        @Override
        public byte[] endorse(byte[] permanent, byte[] certificate) {
            return ByteBuffer.allocate(permanent.length + certificate.length)
                    .put(permanent)
                    .put(certificate)
                    .array();
        }

        @Override
        public Optional<EndorsementInfo> endorsement(byte[] permanent) throws EngineStateException {
            if (permanent.length == 0) {
                throw new EngineStateException("the tally is missing");
            }
            byte[] certificate = permanent.length == 1 ? null : Arrays.copyOfRange(permanent, 1, permanent.length);
            return Optional.of(new EndorsementInfo(new byte[] {7}, certificate));
        }

        @Override
        public Engine open(Map<StateKind, byte[]> state) throws EngineStateException {
            if (openFaults.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new OutOfMemoryError("provoked");
            }
            byte[] permanent = state.get(StateKind.PERMANENT);
            if (permanent == null || permanent.length == 0) {
                throw new EngineStateException("the tally is missing");
            }
            byte[] snapshot = state.getOrDefault(StateKind.VOLATILE, new byte[] {permanent[0], 0});
            if (refuses && state.containsKey(StateKind.VOLATILE)) {
                throw new EngineStateException("the snapshot is of another make");
            }
            if (snapshot.length != 2 || snapshot[0] != permanent[0]) {
                throw new EngineStateException("the snapshot is another's");
            }
            opened.incrementAndGet();
            last = new TallyEngine(permanent, Byte.toUnsignedInt(snapshot[1]));
            return last;
        }

        @Override
        public byte[] startupCommand(StartupMode mode) {
            return command(startupOrdinal);
        }
    }
}
