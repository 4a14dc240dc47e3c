package org.vtpm.engine.tpm12.state;

import java.util.Arrays;
import org.vtpm.crypto.Sha1;

/**
 * TPM_PCR_ATTRIBUTES of a PC client (TCG PC Client Specific TPM Interface Specification 1.2, section 7.2): which
 * localities may extend and reset a PCR.
 */
public final class PcrAttributes {
    private static final int FIRST_RESETTABLE = 16;
    /** The first PCR that belongs to a dynamic launch, the one that holds what was launched. */
    public static final int FIRST_DYNAMIC = 17;

    static final int LAST_DYNAMIC = 22;

    // Bit n stands for locality n; the first entry is PCR 16.
    private static final int[] RESET_LOCAL = {0x1F, 0x10, 0x10, 0x10, 0x14, 0x04, 0x04, 0x1F};
    private static final int[] EXTEND_LOCAL = {0x1F, 0x1C, 0x1C, 0x0C, 0x0E, 0x04, 0x04, 0x1F};

    private PcrAttributes() {}

    /** pcrReset: whether PCR_Reset takes this PCR at all. */
    public static boolean resettable(int pcr) {
        return pcr >= FIRST_RESETTABLE;
    }

    /** pcrResetLocal: whether this locality may reset a resettable PCR. */
    public static boolean resetAllowed(int pcr, int locality) {
        return ((RESET_LOCAL[pcr - FIRST_RESETTABLE] >> locality) & 1) != 0;
    }

    /** pcrExtendLocal: whether this locality may extend the PCR. */
    public static boolean extendAllowed(int pcr, int locality) {
        return pcr < FIRST_RESETTABLE || ((EXTEND_LOCAL[pcr - FIRST_RESETTABLE] >> locality) & 1) != 0;
    }

    /** Writes the start value of a PCR: ones for those of a dynamic launch unless one has taken place. */
    static void fill(int pcr, boolean tosPresent, byte[] target, int offset) {
        boolean ones = pcr >= FIRST_DYNAMIC && pcr <= LAST_DYNAMIC && !tosPresent;
        Arrays.fill(target, offset, offset + Sha1.LENGTH, (byte) (ones ? 0xFF : 0));
    }
}
