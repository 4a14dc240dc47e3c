package org.vtpm.tpm12.structure;

import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;
import org.vtpm.crypto.Sha1;

/**
 * TPM_DAA_ISSUER (TPM Main Part 2, section 22.3): a DAA issuer's public parameters, or their SHA-1 digests.
 *
 * @param digestR0 of the base for the lower part of f; likewise R1 for the higher
 * @param digestS0 of the base for the lower part of v; likewise S1 for the higher
 * @param digestN of the issuer's modulus
 * @param digestGamma of the modulus of pseudonyms
 * @param genericQ order of pseudonyms, unsigned, big-endian
 */
@Tag(0x002F)
public record DaaIssuer(
        @Fixed(20) byte[] digestR0,
        @Fixed(20) byte[] digestR1,
        @Fixed(20) byte[] digestS0,
        @Fixed(20) byte[] digestS1,
        @Fixed(20) byte[] digestN,
        @Fixed(20) byte[] digestGamma,
        @Fixed(26) byte[] genericQ) {

    /** All fields are NULL. */
    public static final DaaIssuer NONE = new DaaIssuer(
            new byte[20], new byte[20], new byte[20], new byte[20], new byte[20], new byte[20], new byte[26]);

    /** SHA-1 over it. */
    public byte[] digest() {
        return Sha1.of(Codec.of(DaaIssuer.class).encode(this));
    }
}
