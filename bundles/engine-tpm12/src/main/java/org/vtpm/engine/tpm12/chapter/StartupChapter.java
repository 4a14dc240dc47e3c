package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.U16;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.engine.tpm12.state.VolatileState.SelfTest;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Admin startup and state (TPM Main Part 3, section 3). */
public final class StartupChapter implements Chapter {
    /** TPM_STARTUP_TYPE. */
    public static final int ST_CLEAR = 1;

    public static final int ST_STATE = 2;
    public static final int ST_DEACTIVATED = 3;

    private static final byte[] ERASED = {};

    record Startup(@U16 int startupType) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("Init", NoParameters.class, StartupChapter::init);
        handlers.on("Startup", Startup.class, StartupChapter::startup);
        handlers.on("SaveState", NoParameters.class, StartupChapter::saveState);
    }

    /** TPM_Init is a signal of the platform, here the opening of the engine: it exists, but nobody can send it. */
    private static Record init(Transaction tx, NoParameters request) {
        throw new TpmException(ReturnCode.BAD_ORDINAL);
    }

    private static Record startup(Transaction tx, Startup request) {
        require(tx.volatiles().postInitialise(), ReturnCode.INVALID_POSTINIT);
        if (tx.volatiles().selfTest() == SelfTest.FAILED) {
            fail(tx);
        }
        StClearState state = switch (request.startupType()) {
            case ST_CLEAR -> StClearState.initial(tx.is(PermanentFlags.Flag.DEACTIVATED));
            case ST_STATE -> restored(tx);
            case ST_DEACTIVATED -> StClearState.initial(true);
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
        if (tx.volatiles().saved() != null) {
            tx.saved(ERASED);
        }
        tx.stClear(state);
        tx.volatiles(tx.volatiles().started());
        return NoParameters.NONE;
    }

    /** What TPM_SaveState kept; the TPM fails without it, since the guest relies on PCRs that are not there. */
    private static StClearState restored(Transaction tx) {
        byte[] saved = tx.volatiles().saved();
        if (saved != null) {
            try {
                StClearState state = StateFormat.decodeSaved(saved);
                long now = tx.environment().nanoClock().getAsLong();
                return state.withLockout(state.lockout().onClock(0, now));
            } catch (EngineStateException e) {
                return fail(tx);
            }
        }
        return fail(tx);
    }

    private static StClearState fail(Transaction tx) {
        tx.stick(state -> state.withVolatiles(state.volatiles().started().withSelfTest(SelfTest.FAILED)));
        throw new TpmException(ReturnCode.FAILEDSELFTEST);
    }

    private static Record saveState(Transaction tx, NoParameters request) {
        // The transport session goes on with the response, which what was saved would not know of.
        require(tx.transport() == null, ReturnCode.NO_WRAP_TRANSPORT);
        long now = tx.environment().nanoClock().getAsLong();
        StClearState state = tx.stClear();
        tx.saved(StateFormat.encodeSaved(state.withPcrs(state.pcrs().withoutResettable())
                .withLockout(state.lockout().onClock(now, 0))));
        tx.volatiles(tx.volatiles().withStateSaved(true));
        return NoParameters.NONE;
    }
}
