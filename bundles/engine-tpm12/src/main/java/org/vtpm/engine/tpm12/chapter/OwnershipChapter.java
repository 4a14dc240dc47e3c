package org.vtpm.engine.tpm12.chapter;

import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearFlags;

/** Admin ownership (TPM Main Part 3, section 6). */
public final class OwnershipChapter implements Chapter {
    @Override
    public void register(Handlers handlers) {
        handlers.on("DisableOwnerClear", NoParameters.class, OwnershipChapter::disableOwnerClear);
        handlers.on("DisableForceClear", NoParameters.class, OwnershipChapter::disableForceClear);
    }

    private static Record disableOwnerClear(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        tx.set(PermanentFlags.Flag.DISABLE_OWNER_CLEAR, true);
        return NoParameters.NONE;
    }

    private static Record disableForceClear(Transaction tx, NoParameters request) {
        tx.set(StClearFlags.Flag.DISABLE_FORCE_CLEAR, true);
        return NoParameters.NONE;
    }
}
