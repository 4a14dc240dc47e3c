package org.vtpm.engine.tpm12.state;

import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;

/**
 * The values of all PCRs.
 *
 * @param values one after the other; never written to
 */
public record PcrBank(@Fixed(PcrBank.SIZE) byte[] values) {
    /** Number of PCRs. */
    public static final int COUNT = 24;

    private static final int SIZE = COUNT * Sha1.LENGTH;

    /** What every PCR holds after TPM_Startup(ST_CLEAR). */
    public static PcrBank initial() {
        byte[] values = new byte[SIZE];
        for (int pcr = 0; pcr < COUNT; pcr++) {
            PcrAttributes.fill(pcr, false, values, pcr * Sha1.LENGTH);
        }
        return new PcrBank(values);
    }

    /** A copy of one value. */
    public byte[] get(int pcr) {
        return Arrays.copyOfRange(values, pcr * Sha1.LENGTH, (pcr + 1) * Sha1.LENGTH);
    }

    /** The values of the selected PCRs, one after the other. */
    public byte[] values(PcrSelection selection) {
        ByteWriter out = new ByteWriter();
        selection.indices().forEach(pcr -> out.bytes(get(pcr)));
        return out.finish();
    }

    /** TPM_COMPOSITE_HASH (TPM Main Part 2, section 8.8); the selection counts as it was supplied, with its size. */
    public byte[] composite(PcrSelection selection) {
        byte[] selected = values(selection);
        return Sha1.of(
                Codec.of(PcrSelection.class).encode(selection),
                new ByteWriter(Integer.BYTES).i32(selected.length).finish(),
                selected);
    }

    /** Whether the selected PCRs, if any are, hold the values that a structure names. */
    public boolean matches(PcrInfoShort info) {
        return info.pcrSelection().isEmpty() || Secrets.equal(composite(info.pcrSelection()), info.digestAtRelease());
    }

    public PcrBank with(int pcr, byte[] value) {
        byte[] copy = values.clone();
        System.arraycopy(value, 0, copy, pcr * Sha1.LENGTH, Sha1.LENGTH);
        return new PcrBank(copy);
    }

    /** This bank after a PCR_Reset of one PCR. */
    public PcrBank withReset(int pcr, boolean tosPresent) {
        byte[] copy = values.clone();
        PcrAttributes.fill(pcr, tosPresent, copy, pcr * Sha1.LENGTH);
        return new PcrBank(copy);
    }

    /** This bank as a dynamic launch begins with it. */
    public PcrBank launched() {
        PcrBank bank = this;
        for (int pcr = PcrAttributes.FIRST_DYNAMIC; pcr <= PcrAttributes.LAST_DYNAMIC; pcr++) {
            bank = bank.withReset(pcr, true);
        }
        return bank;
    }

    /** This bank as TPM_SaveState keeps it: PCRs that can be reset have their start value. */
    public PcrBank withoutResettable() {
        PcrBank bank = this;
        for (int pcr = 0; pcr < COUNT; pcr++) {
            bank = PcrAttributes.resettable(pcr) ? bank.withReset(pcr, false) : bank;
        }
        return bank;
    }
}
