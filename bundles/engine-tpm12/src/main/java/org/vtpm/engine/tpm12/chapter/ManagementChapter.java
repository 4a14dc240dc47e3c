package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Lockout;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Management functions (TPM Main Part 3, section 9). */
public final class ManagementChapter implements Chapter {
    @Override
    public void register(Handlers handlers) {
        handlers.on("ResetLockValue", NoParameters.class, ManagementChapter::resetLockValue);
    }

    /** One wrong attempt during a lockout rules out further ones until it ends. */
    private static Record resetLockValue(Transaction tx, NoParameters request) {
        long now = tx.environment().nanoClock().getAsLong();
        require(!tx.stClear().lockout().refusesReset(now), ReturnCode.AUTHFAIL);
        try {
            tx.authorizations().verifyOwner();
        } catch (TpmException e) {
            tx.stick(state -> state.withStClear(
                    state.stClear().withLockout(state.stClear().lockout().withResetDisabled())));
            throw e;
        }
        tx.stClear(tx.stClear().withLockout(Lockout.NONE));
        return NoParameters.NONE;
    }
}
