package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;

/**
 * TPM_SEALED_DATA (TPM Main Part 2, section 9.3): what is encrypted of sealed data.
 *
 * @param payload {@link PayloadType#SEAL}
 * @param authData the secret that unseals it
 * @param tpmProof marks it as sealed by this TPM
 * @param storedDigest ties it to its public part: {@link StoredData#storedDigest}
 */
public record SealedData(
        @U8 int payload,
        @Fixed(20) byte[] authData,
        @Fixed(20) byte[] tpmProof,
        @Fixed(20) byte[] storedDigest,
        @Sized byte[] data) {

    /** Zeroes what is secret, the copy of tpmProof included. */
    public void destroy() {
        Secrets.zero(authData, tpmProof, data);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "SealedData[secret]";
    }
}
