package org.vtpm.engine.tpm12.structure;

import org.vtpm.codec.CodecException.Kind;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;

/**
 * TPM_BOUND_DATA (TPM Main Part 2, section 9.5): what others encrypt for a key of a TPM.
 *
 * @param payload {@link PayloadType#BIND}
 */
@Tag(value = 0x01010000, bytes = 4, mask = 0xFFFF0000L, mismatch = Kind.BAD_VERSION)
public record BoundData(@U8 int payload, @Rest byte[] payloadData) {
    /** Names no secret. */
    @Override
    public String toString() {
        return "BoundData[secret]";
    }
}
