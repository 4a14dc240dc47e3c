package org.vtpm.engine.tpm12.chapter;

import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * The changes of NV areas and delegation tables that nobody has to authorise, which are few until the owner is cleared: noOwnerNVWrite in
 * TPM_PERMANENT_DATA (TPM Main Part 2, section 7.4). A command that is refused, or
 * changes nothing, spends none.
 */
final class NvBudget {
    /** TPM_MAX_NV_WRITE_NOOWNER. */
    private static final int MAX_WRITES = 64;

    private NvBudget() {}

    /** Fails if none is left. */
    static void require(Transaction tx) {
        TpmException.require(tx.permanent().noOwnerNvWrites() < MAX_WRITES, ReturnCode.MAXNVWRITES);
    }

    /** Takes one that {@link #require} found to be there. */
    static void spend(Transaction tx) {
        tx.permanent(tx.permanent().withNoOwnerNvWrites(tx.permanent().noOwnerNvWrites() + 1));
    }
}
