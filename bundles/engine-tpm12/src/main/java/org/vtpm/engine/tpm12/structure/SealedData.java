package org.vtpm.engine.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;

/**
 * TPM_SEALED_DATA (TPM Main Part 2, section 9.3): sealed data with its secrets, which leaves the TPM only encrypted.
 *
 * @param payload {@link PayloadType#SEAL}
 * @param authData what unsealing has to be authorised with
 * @param tpmProof of the TPM and owner that it was sealed under
 * @param storedDigest ties it to its public part: {@link StoredData#storedDigest}
 */
public record SealedData(
        @U8 int payload,
        @Fixed(20) byte[] authData,
        @Fixed(20) byte[] tpmProof,
        @Fixed(20) byte[] storedDigest,
        @Sized byte[] data) {

    /** Zeroes what is secret. */
    public void destroy() {
        Secrets.zero(authData, tpmProof, data);
    }

    /** The same for another secret; shares the other arrays. */
    public SealedData withAuthData(byte[] to) {
        return new SealedData(payload, to, tpmProof, storedDigest, data);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "SealedData[secret]";
    }
}
