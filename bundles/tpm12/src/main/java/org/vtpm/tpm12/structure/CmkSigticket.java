package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_CMK_SIGTICKET (TPM Main Part 2, section 5.19): this TPM verified a signature.
 *
 * @param verKeyDigest SHA-1 of the TPM_PUBKEY that verified it
 * @param signedData the digest that was signed
 */
@Tag(0x0034)
public record CmkSigticket(
        @Fixed(20) byte[] verKeyDigest, @Fixed(20) byte[] signedData) {}
