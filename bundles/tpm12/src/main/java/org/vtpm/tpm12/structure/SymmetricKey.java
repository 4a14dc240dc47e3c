package org.vtpm.tpm12.structure;

import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;

/** TPM_SYMMETRIC_KEY (TPM Main Part 2, section 10.8): a key that the TPM passes on and does not use. */
public record SymmetricKey(
        int algId, @U16 int encScheme, @Sized(prefix = 2) byte[] data) {

    /** Names no secret. */
    @Override
    public String toString() {
        return "SymmetricKey[secret]";
    }
}
