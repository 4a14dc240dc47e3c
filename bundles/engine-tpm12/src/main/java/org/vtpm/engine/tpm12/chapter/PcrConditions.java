package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PcrBank;
import org.vtpm.engine.tpm12.structure.PcrInfo;
import org.vtpm.engine.tpm12.structure.PcrInfoLong;
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

    /** What a structure says of the PCRs that it was made under: zeros if it selects none. */
    static byte[] digestAtCreation(Transaction tx, PcrSelection selection) {
        return selection.isEmpty()
                ? new byte[Sha1.LENGTH]
                : composite(tx.stClear().pcrs(), selection);
    }

    /** PCR information with the PCRs as they are now. */
    static @Nullable PcrInfo created(Transaction tx, @Nullable PcrInfo info) {
        return info == null
                ? null
                : new PcrInfo(info.pcrSelection(), info.digestAtRelease(), digestAtCreation(tx, info.pcrSelection()));
    }

    /** PCR information with the PCRs and the locality as they are now. */
    static @Nullable PcrInfoLong created(Transaction tx, @Nullable PcrInfoLong info) {
        return info == null
                ? null
                : new PcrInfoLong(
                        1 << tx.locality(),
                        info.localityAtRelease(),
                        info.creationPcrSelection(),
                        info.releasePcrSelection(),
                        digestAtCreation(tx, info.creationPcrSelection()),
                        info.digestAtRelease());
    }

    /** Refuses what may not be released now: with WRONGPCRVAL, or BAD_LOCALITY. */
    static void requireRelease(Transaction tx, @Nullable PcrInfoShort release) {
        if (release != null) {
            requirePcrs(tx, release);
            requireLocality(tx, release);
        }
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
