package org.vtpm.engine.tpm12.command;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.crypto.Sha1;
import org.vtpm.crypto.Sha256;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.Snapshot;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.state.State;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.engine.tpm12.state.TickSession;
import org.vtpm.engine.tpm12.state.VolatileState;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** One TPM 1.2: holds its state and moves it forward by whole commands. */
public final class Tpm12Engine implements Engine {
    private static final Logger LOG = LoggerFactory.getLogger(Tpm12Engine.class);
    private static final int MAX_LOCALITY = 4;

    private final Dispatcher dispatcher;
    private final Environment environment;

    /** SHA-256 of the permanent part as it was stored last. */
    private byte[] permanentDigest;

    private final Set<String> faulty = new HashSet<>();
    private @Nullable State state;

    /**
     * Powers the TPM on, or goes on with it where {@link #snapshot} left it.
     *
     * @param parts the state it had; copied
     * @throws EngineStateException if a part is missing or damaged, or does not go with the others
     */
    public Tpm12Engine(Handlers handlers, Environment environment, Map<StateKind, byte[]> parts)
            throws EngineStateException {
        this.dispatcher = new Dispatcher(handlers);
        Map<StateKind, byte[]> present = new HashMap<>(parts);
        present.values().removeIf(part -> part.length == 0);
        byte[] stored = present.get(StateKind.PERMANENT);
        if (stored == null) {
            throw new EngineStateException("the permanent state of this TPM 1.2 is missing");
        }
        PermanentState permanent = StateFormat.decodePermanent(stored);
        this.permanentDigest = Sha256.of(stored);
        byte[] running = present.get(StateKind.VOLATILE);
        if (running == null) {
            this.environment = environment;
            this.state = powerOn(environment, permanent, present.get(StateKind.SAVED));
        } else {
            Snapshot snapshot = StateFormat.decodeVolatile(running);
            if (!Arrays.equals(snapshot.permanentDigest(), permanentDigest)) {
                throw new EngineStateException(
                        "the volatile state of this TPM 1.2 does not belong to its permanent state:"
                                + " the one has changed without the other");
            }
            this.environment = environment.goingOnFrom(snapshot.clockNanos(), snapshot.wallMillis());
            this.state = new State(permanent, snapshot.stClear(), snapshot.volatiles());
        }
    }

    @Override
    public byte[] execute(int locality, byte[] command, StateSink sink) {
        if (locality < 0 || locality > MAX_LOCALITY) {
            throw new IllegalArgumentException("locality " + locality);
        }
        State before = Objects.requireNonNull(state, "the engine is closed");
        Handlers.Bound<?> bound;
        try {
            bound = dispatcher.find(Dispatcher.ordinal(command));
        } catch (TpmException e) {
            return Dispatcher.failure(e.code());
        }
        Transaction tx = new Transaction(environment, dispatcher, bound.command(), locality, before, command);
        ReturnCode code;
        try {
            Preparation.run(tx, sink);
            byte[] response = dispatcher.run(tx, bound, command);
            store(tx.changes(tx.succeeded()), sink);
            replace(before, tx.succeeded(), tx);
            return response;
        } catch (TpmException e) {
            code = e.code();
        } catch (IOException e) {
            code = ReturnCode.IOERROR;
            LOG.error(
                    "{}: its change of state could not be stored and was undone",
                    bound.command().name(),
                    e);
        } catch (RuntimeException e) {
            code = ReturnCode.FAIL;
            logFault(bound.command().name(), e);
        }
        tx.authorizations().endAfter(code);
        replace(before, tx.failed(), tx);
        return Dispatcher.failure(code);
    }

    @Override
    public boolean isBrief(byte[] command) {
        State now = state;
        if (now == null) {
            return false;
        }
        try {
            return isBrief(dispatcher.find(Dispatcher.ordinal(command)).command(), now);
        } catch (TpmException e) {
            return true; // refused without a look at the state
        }
    }

    /** A brief command has more to do if it may have to test the TPM first, erases what SaveState left, or is audited. */
    private static boolean isBrief(Command command, State now) {
        return command.brief()
                && now.volatiles().selfTest() == VolatileState.SelfTest.PASSED
                && !now.volatiles().stateSaved()
                && !Auditing.isAudited(now.permanent(), command);
    }

    @Override
    public int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink) {
        State before = Objects.requireNonNull(state, "the engine is closed");
        ReturnCode code = ReturnCode.SUCCESS;
        State after = before;
        try {
            after = DynamicLaunch.after(signal, data, before);
            Map<StateKind, byte[]> changes = new HashMap<>();
            if (before.volatiles().stateSaved()) {
                changes.put(StateKind.SAVED, new byte[0]);
                after = after.withVolatiles(after.volatiles().withStateSaved(false));
            }
            if (!after.permanent().equals(before.permanent())) {
                changes.put(StateKind.PERMANENT, StateFormat.encodePermanent(after.permanent()));
            }
            store(changes, sink);
        } catch (TpmException e) {
            code = e.code();
            after = DynamicLaunch.failed(before);
            if (before.volatiles().selfTest() != VolatileState.SelfTest.FAILED) {
                LOG.warn("{}: {}; this TPM is in failure mode until its next start", signal, code);
            }
        } catch (IOException e) {
            code = ReturnCode.IOERROR;
            after = before;
            LOG.error("{}: its change of state could not be stored and was undone", signal, e);
        }
        state = after;
        before.zeroSecretsNotIn(after);
        return code.code();
    }

    @Override
    public byte[] snapshot() {
        State now = Objects.requireNonNull(state, "the engine is closed");
        return StateFormat.encodeVolatile(new Snapshot(
                permanentDigest,
                environment.nanoClock().getAsLong(),
                environment.wallClock().getAsLong(),
                now.stClear(),
                now.volatiles()));
    }

    @Override
    public void close() {
        State last = state;
        state = null;
        if (last != null) {
            last.zeroSecrets();
        }
    }

    private void store(Map<StateKind, byte[]> changes, StateSink sink) throws IOException {
        if (!changes.isEmpty()) {
            try {
                sink.save(changes);
                byte[] permanent = changes.get(StateKind.PERMANENT);
                if (permanent != null) {
                    permanentDigest = Sha256.of(permanent);
                }
            } finally {
                changes.values().forEach(part -> Arrays.fill(part, (byte) 0));
            }
        }
    }

    /** Moves on to {@code after}; what only the states left behind hold is zeroed. */
    private void replace(State before, State after, Transaction tx) {
        state = after;
        before.zeroSecretsNotIn(after);
        tx.attempted().forEach(attempted -> attempted.zeroSecretsNotIn(after));
    }

    /** Once for each command: a guest that found a fault can repeat it. Messages may quote parameters, so none is kept. */
    private void logFault(String name, RuntimeException fault) {
        if (faulty.add(name)) {
            Throwable trace = new Throwable(fault.getClass().getName());
            trace.setStackTrace(fault.getStackTrace());
            LOG.error("{}: internal fault; the command was undone and answered TPM_FAIL", name, trace);
        }
    }

    private static State powerOn(Environment environment, PermanentState permanent, byte @Nullable [] saved) {
        TickSession ticks = new TickSession(environment.nanoClock().getAsLong(), environment.random(Sha1.LENGTH));
        return new State(
                permanent,
                StClearState.initial(permanent.flags().is(PermanentFlags.Flag.DEACTIVATED)),
                VolatileState.initial(saved == null ? null : saved.clone(), ticks));
    }
}
