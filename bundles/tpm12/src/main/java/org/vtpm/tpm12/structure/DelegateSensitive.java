package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/** TPM_DELEGATE_SENSITIVE (TPM Main Part 2, section 20.7): the secret of a delegation. */
@Tag(0x0026)
public record DelegateSensitive(@Fixed(20) byte[] authValue) {
    /** Names no secret. */
    @Override
    public String toString() {
        return "DelegateSensitive[secret]";
    }
}
