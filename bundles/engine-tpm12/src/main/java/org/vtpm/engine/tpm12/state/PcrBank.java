package org.vtpm.engine.tpm12.state;

import java.util.Arrays;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha1;

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

    /** This bank as TPM_SaveState keeps it: PCRs that can be reset have their start value. */
    public PcrBank withoutResettable() {
        PcrBank bank = this;
        for (int pcr = 0; pcr < COUNT; pcr++) {
            bank = PcrAttributes.resettable(pcr) ? bank.withReset(pcr, false) : bank;
        }
        return bank;
    }
}
