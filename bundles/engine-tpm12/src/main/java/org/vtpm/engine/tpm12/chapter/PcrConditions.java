package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PcrBank;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ReturnCode;

/** Uses that are bound to PCR values and localities (TPM Main Part 2, chapter 8). */
final class PcrConditions {
    private PcrConditions() {}

    /** TPM_COMPOSITE_HASH over the PCRs as they are; the selection counts as it was supplied, with its size. */
    static byte[] composite(PcrBank pcrs, PcrSelection selection) {
        return pcrs.composite(selection);
    }

    /** The values of the selected PCRs, one after the other. */
    static byte[] values(PcrBank pcrs, PcrSelection selection) {
        return pcrs.values(selection);
    }

    /** What a structure says of the PCRs as they are: as in libtpms zeros if none is selected, where the composite would be one over nothing. */
    static byte[] current(Transaction tx, PcrSelection selection) {
        return selection.isEmpty()
                ? new byte[Sha1.LENGTH]
                : composite(tx.stClear().pcrs(), selection);
    }

    /** Refuses a command from a locality that the structure does not name. */
    static void requireLocality(Transaction tx, PcrInfoShort info) {
        require(info.allows(tx.locality()), ReturnCode.BAD_LOCALITY);
    }

    /** Refuses a command while the selected PCRs, if any are, hold other values than the structure names. */
    static void requirePcrs(Transaction tx, PcrInfoShort info) {
        require(tx.stClear().pcrs().matches(info), ReturnCode.WRONGPCRVAL);
    }
}
