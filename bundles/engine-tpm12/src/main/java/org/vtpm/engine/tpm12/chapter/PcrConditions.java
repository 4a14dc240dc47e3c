package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PcrBank;
import org.vtpm.engine.tpm12.structure.PcrInfoShort;
import org.vtpm.engine.tpm12.structure.PcrSelection;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/** Uses that are bound to PCR values and localities (TPM Main Part 2, chapter 8). */
final class PcrConditions {
    private PcrConditions() {}

    /** TPM_COMPOSITE_HASH over the PCRs as they are; the selection counts as it was supplied, with its size. */
    static byte[] composite(PcrBank pcrs, PcrSelection selection) {
        byte[] concatenated = values(pcrs, selection);
        return Sha1.of(
                Codec.of(PcrSelection.class).encode(selection),
                new ByteWriter(Integer.BYTES).i32(concatenated.length).finish(),
                concatenated);
    }

    /** The values of the selected PCRs, one after the other. */
    static byte[] values(PcrBank pcrs, PcrSelection selection) {
        ByteWriter values = new ByteWriter();
        selection.indices().forEach(pcr -> values.bytes(pcrs.get(pcr)));
        return values.finish();
    }

    /** What a structure says of the PCRs as they are: as in libtpms zeros if none is selected, where the composite would be one over nothing. */
    static byte[] current(Transaction tx, PcrSelection selection) {
        return selection.isEmpty()
                ? new byte[Sha1.LENGTH]
                : composite(tx.stClear().pcrs(), selection);
    }

    /** Refuses a command from a locality that the structure does not name. */
    static void requireLocality(Transaction tx, PcrInfoShort info) {
        require(((info.localityAtRelease() >> tx.locality()) & 1) != 0, ReturnCode.BAD_LOCALITY);
    }

    /** Refuses a command while the selected PCRs, if any are, hold other values than the structure names. */
    static void requirePcrs(Transaction tx, PcrInfoShort info) {
        require(
                info.pcrSelection().isEmpty()
                        || Secrets.equal(composite(tx.stClear().pcrs(), info.pcrSelection()), info.digestAtRelease()),
                ReturnCode.WRONGPCRVAL);
    }
}
