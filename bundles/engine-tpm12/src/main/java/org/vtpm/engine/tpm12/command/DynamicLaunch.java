package org.vtpm.engine.tpm12.command;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.PcrAttributes;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.State;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.engine.tpm12.state.VolatileState;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * A dynamic launch (TCG PC Client Specific TPM Interface Specification 1.2). Its hash is not that of
 * TPM_SHA1Start: commands that come between two signals leave it alone.
 */
final class DynamicLaunch {
    private DynamicLaunch() {}

    /**
     * The state after a signal.
     *
     * @throws TpmException if the signal is out of turn; the TPM has then {@link #failed}
     */
    static State after(LaunchSignal signal, byte[] data, State state) {
        VolatileState volatiles = state.volatiles();
        require(volatiles.selfTest() != VolatileState.SelfTest.FAILED, ReturnCode.FAILEDSELFTEST);
        require(!volatiles.postInitialise(), ReturnCode.INVALID_POSTINIT);
        return switch (signal) {
            case HASH_START -> started(state);
            case HASH_DATA ->
                state.withVolatiles(
                        volatiles.withLaunch(running(volatiles).update(data).suspend()));
            case HASH_END -> ended(state, running(volatiles).digest());
        };
    }

    /** The state after a signal that was out of turn: what was measured cannot be relied on until the next start. */
    static State failed(State state) {
        return state.withVolatiles(state.volatiles().withLaunch(null).withSelfTest(VolatileState.SelfTest.FAILED));
    }

    private static State started(State state) {
        require(state.volatiles().launch() == null, ReturnCode.FAIL);
        return new State(
                state.permanent().withFlag(PermanentFlags.Flag.TPM_ESTABLISHED, true),
                state.stClear()
                        .withoutTransports(TransportSession::exclusive)
                        .withPcrs(state.stClear().pcrs().launched()),
                state.volatiles().withTosPresent(true).withLaunch(new Sha1().suspend()));
    }

    private static State ended(State state, byte[] digest) {
        byte[] measured = Sha1.of(new byte[Sha1.LENGTH], digest);
        return state.withStClear(
                        state.stClear().withPcrs(state.stClear().pcrs().with(PcrAttributes.FIRST_DYNAMIC, measured)))
                .withVolatiles(state.volatiles().withLaunch(null));
    }

    private static Sha1 running(VolatileState volatiles) {
        byte[] launch = volatiles.launch();
        if (launch == null) {
            throw new TpmException(ReturnCode.SHA_THREAD);
        }
        return Sha1.resume(launch);
    }
}
