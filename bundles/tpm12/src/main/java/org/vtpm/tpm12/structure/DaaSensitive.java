package org.vtpm.tpm12.structure;

import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;

/** TPM_DAA_SENSITIVE (TPM Main Part 2, section 22.9). Secret. */
@Tag(0x0031)
public record DaaSensitive(@Sized byte[] internalData) {
    /** Names no secret. */
    @Override
    public String toString() {
        return "DaaSensitive[secret]";
    }
}
