package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.U8;

/**
 * TPM_PCR_INFO_SHORT (TPM Main Part 2, section 8.5): the PCR values and localities at which something may be used.
 *
 * @param localityAtRelease bit n stands for locality n; never zero
 * @param digestAtRelease the composite hash over the selected PCRs; not looked at if none is selected
 */
public record PcrInfoShort(
        PcrSelection pcrSelection,
        @U8 int localityAtRelease,
        @Fixed(20) byte[] digestAtRelease) {

    /** All five localities: no restriction. */
    public static final int ALL_LOCALITIES = 0x1F;

    public PcrInfoShort {
        checkLocalities(localityAtRelease);
    }

    /** Whether it allows a locality. */
    public boolean allows(int locality) {
        return ((localityAtRelease >> locality) & 1) != 0;
    }

    /** Refuses a TPM_LOCALITY_SELECTION that selects nothing, or what is no locality. */
    static void checkLocalities(int selection) {
        TpmException.require(selection != 0 && selection <= ALL_LOCALITIES, ReturnCode.INVALID_STRUCTURE);
    }
}
