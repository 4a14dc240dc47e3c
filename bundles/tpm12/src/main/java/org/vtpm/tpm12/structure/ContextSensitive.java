package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;

/**
 * TPM_CONTEXT_SENSITIVE (TPM Main Part 2, section 18.2).
 *
 * @param contextNonce the TPM's nonce when the resource was saved
 * @param internalData the resource, in a form of the TPM's own
 */
@Tag(0x0002)
public record ContextSensitive(
        @Fixed(20) byte[] contextNonce, @Sized byte[] internalData) {

    /** Names no secret. */
    @Override
    public String toString() {
        return "ContextSensitive[secret]";
    }
}
