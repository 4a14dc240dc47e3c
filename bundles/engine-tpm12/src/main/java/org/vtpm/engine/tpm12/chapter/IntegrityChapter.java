package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PcrAttributes;
import org.vtpm.engine.tpm12.state.PcrBank;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ReturnCode;

/** Integrity collection and reporting (TPM Main Part 3, section 16). */
public final class IntegrityChapter implements Chapter {
    private static final int DRTM_LOCALITY = 4;

    record Extend(int pcrNum, @Fixed(20) byte[] inDigest) {}

    record PcrRead(int pcrIndex) {}

    record PcrValue(@Fixed(20) byte[] outDigest) {}

    record PcrReset(PcrSelection pcrSelection) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on(
                "Extend",
                Extend.class,
                (tx, request) -> new PcrValue(extend(tx, request.pcrNum(), request.inDigest())));
        handlers.on("PcrRead", PcrRead.class, IntegrityChapter::pcrRead);
        handlers.on("PCR_Reset", PcrReset.class, IntegrityChapter::pcrReset);
    }

    /**
     * Extends a PCR.
     *
     * @return its new value, or zeros from a TPM that is disabled or deactivated
     */
    static byte[] extend(Transaction tx, int pcr, byte[] digest) {
        require(exists(pcr), ReturnCode.BADINDEX);
        require(PcrAttributes.extendAllowed(pcr, tx.locality()), ReturnCode.BAD_LOCALITY);
        byte[] old = tx.stClear().pcrs().get(pcr);
        // That it still holds zeros means that the launch's own measurement has not come yet.
        boolean launching = pcr == PcrAttributes.FIRST_DYNAMIC && Arrays.equals(old, new byte[Sha1.LENGTH]);
        require(!launching || tx.locality() == DRTM_LOCALITY, ReturnCode.BAD_LOCALITY);
        byte[] value = Sha1.of(old, digest);
        tx.stClear(tx.stClear().withPcrs(tx.stClear().pcrs().with(pcr, value)));
        boolean silent = tx.is(PermanentFlags.Flag.DISABLE) || tx.is(StClearFlags.Flag.DEACTIVATED);
        return silent ? new byte[Sha1.LENGTH] : value;
    }

    private static Record pcrRead(Transaction tx, PcrRead request) {
        require(exists(request.pcrIndex()), ReturnCode.BADINDEX);
        return new PcrValue(tx.stClear().pcrs().get(request.pcrIndex()));
    }

    /** All selected PCRs are checked before the first is reset. */
    private static Record pcrReset(Transaction tx, PcrReset request) {
        PcrSelection selection = request.pcrSelection();
        require(!selection.isEmpty(), ReturnCode.INVALID_PCR_INFO);
        selection.indices().forEach(pcr -> {
            require(PcrAttributes.resettable(pcr), ReturnCode.NOTRESETABLE);
            require(PcrAttributes.resetAllowed(pcr, tx.locality()), ReturnCode.NOTLOCAL);
        });
        boolean tosPresent = tx.volatiles().tosPresent();
        selection
                .indices()
                .forEach(pcr ->
                        tx.stClear(tx.stClear().withPcrs(tx.stClear().pcrs().withReset(pcr, tosPresent))));
        return NoParameters.NONE;
    }

    private static boolean exists(int pcr) {
        return pcr >= 0 && pcr < PcrBank.COUNT;
    }
}
