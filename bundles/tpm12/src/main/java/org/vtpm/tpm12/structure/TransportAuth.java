package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/** TPM_TRANSPORT_AUTH (TPM Main Part 2, section 13.5): the secret of a transport session, as it comes encrypted. */
@Tag(0x001D)
public record TransportAuth(@Fixed(20) byte[] authData) {
    /** Names no secret. */
    @Override
    public String toString() {
        return "TransportAuth[secret]";
    }
}
