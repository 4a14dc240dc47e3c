package org.vtpm.tpm12.structure;

import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;

/**
 * TPM_DELEGATE_PUBLIC (TPM Main Part 2, section 20.5): a delegation without its secret.
 *
 * @param pcrInfo the PCR values and localities that it counts under
 * @param verificationCount it counts as long as its family has the same
 */
@Tag(0x001B)
public record DelegatePublic(
        @U8 int rowLabel, PcrInfoShort pcrInfo, Delegations permissions, int familyId, int verificationCount) {

    public DelegatePublic withVerificationCount(int to) {
        return new DelegatePublic(rowLabel, pcrInfo, permissions, familyId, to);
    }
}
