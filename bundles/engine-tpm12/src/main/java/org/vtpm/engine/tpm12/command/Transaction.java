package org.vtpm.engine.tpm12.command;

import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StateKind;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.state.State;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.engine.tpm12.state.VolatileState;
import org.vtpm.tpm12.structure.TpmException;

/**
 * One command's view of the TPM. It replaces parts of the state; the engine keeps the result if the command succeeds and
 * its permanent part could be stored, and otherwise only what {@link #stick} was told.
 */
public final class Transaction {
    private final Environment environment;
    private final Dispatcher dispatcher;
    private final Command command;
    private final int locality;
    private final State before;
    private final @Nullable TransportSession transport;
    private final Authorizations authorizations;
    private final Map<StateKind, byte[]> parts = new HashMap<>();
    private State state;
    private UnaryOperator<State> sticking = UnaryOperator.identity();
    private @Nullable Transaction wrapped;

    /** A command as it came from the guest. */
    Transaction(
            Environment environment,
            Dispatcher dispatcher,
            Command command,
            int locality,
            State before,
            byte[] request) {
        this(environment, dispatcher, command, locality, before, request, null);
    }

    private Transaction(
            Environment environment,
            Dispatcher dispatcher,
            Command command,
            int locality,
            State before,
            byte[] request,
            @Nullable TransportSession transport) {
        this.environment = environment;
        this.dispatcher = dispatcher;
        this.transport = transport;
        this.command = command;
        this.locality = locality;
        this.before = before;
        this.state = before;
        this.authorizations = new Authorizations(this, request);
    }

    public Environment environment() {
        return environment;
    }

    /** The row of the command that runs. */
    public Command command() {
        return command;
    }

    /** The locality that the command came from, 0 to 4. */
    public int locality() {
        return locality;
    }

    /** The transport session that the command came wrapped in, as it was before the command; null if in none. */
    public @Nullable TransportSession transport() {
        return transport;
    }

    /** The authorisation blocks of the request. */
    public Authorizations authorizations() {
        return authorizations;
    }

    public PermanentState permanent() {
        return state.permanent();
    }

    public StClearState stClear() {
        return state.stClear();
    }

    public VolatileState volatiles() {
        return state.volatiles();
    }

    /** Replaces the permanent state; unless it is the same object, it is stored before the response leaves. */
    public void permanent(PermanentState to) {
        state = state.withPermanent(to);
    }

    public void stClear(StClearState to) {
        state = state.withStClear(to);
    }

    public void volatiles(VolatileState to) {
        state = state.withVolatiles(to);
    }

    /** Stores what TPM_SaveState keeps, together with the command's other changes; an empty array erases it. */
    public void saved(byte[] part) {
        parts.put(StateKind.SAVED, part);
    }

    /** Makes a change that stays even when the command fails. */
    public void stick(UnaryOperator<State> change) {
        UnaryOperator<State> earlier = sticking;
        sticking = original -> change.apply(earlier.apply(original));
        state = change.apply(state);
    }

    /**
     * Carries out a command that came wrapped in this one. What it leaves behind, also if it fails, is from now on what
     * this one did.
     *
     * @param in the transport session that it was wrapped in
     * @return its response, which may say that it failed
     */
    public byte[] execute(TransportSession in, byte[] request) {
        Handlers.Bound<?> bound = dispatcher.find(Dispatcher.ordinal(request));
        Transaction inner = new Transaction(environment, dispatcher, bound.command(), locality, state, request, in);
        wrapped = inner;
        UnaryOperator<State> earlier = sticking;
        sticking = original -> inner.sticking.apply(earlier.apply(original));
        try {
            Preparation.wrapped(inner);
            byte[] response = dispatcher.run(inner, bound, request);
            state = inner.succeeded();
            parts.putAll(inner.parts);
            return response;
        } catch (TpmException e) {
            inner.authorizations.endAfter(e.code());
            state = inner.failed();
            return Dispatcher.failure(e.code());
        }
    }

    public boolean is(PermanentFlags.Flag flag) {
        return permanent().flags().is(flag);
    }

    public boolean is(StClearFlags.Flag flag) {
        return stClear().flags().is(flag);
    }

    public void set(PermanentFlags.Flag flag, boolean value) {
        permanent(permanent().withFlag(flag, value));
    }

    public void set(StClearFlags.Flag flag, boolean value) {
        stClear(stClear().withFlag(flag, value));
    }

    /** Whether physical presence is asserted; this TPM has no hardware signal for it. */
    public boolean physicalPresence() {
        return is(PermanentFlags.Flag.PHYSICAL_PRESENCE_CMD_ENABLE) && is(StClearFlags.Flag.PHYSICAL_PRESENCE);
    }

    /** The state as it is after the command succeeded. */
    State succeeded() {
        return state;
    }

    /** All that the command, and one wrapped in it, arrived at, kept or not. */
    Stream<State> attempted() {
        Stream<State> own = Stream.of(state);
        return wrapped == null ? own : Stream.concat(own, wrapped.attempted());
    }

    /** The state as it is after the command failed. */
    State failed() {
        return sticking.apply(before);
    }

    /** The parts that have to be stored before {@code after} may take effect. */
    @SuppressWarnings(
            "ReferenceEquality") // permanent() promises it: comparing the content would cost more than storing it
    Map<StateKind, byte[]> changes(State after) {
        Map<StateKind, byte[]> changes = new HashMap<>(parts);
        if (after.permanent() != before.permanent()) {
            changes.put(StateKind.PERMANENT, StateFormat.encodePermanent(after.permanent()));
        }
        return changes;
    }
}
