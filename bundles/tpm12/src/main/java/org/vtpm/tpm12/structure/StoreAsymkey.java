package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;

/**
 * TPM_STORE_ASYMKEY (TPM Main Part 2, section 10.6): the secret part of a key, which leaves the TPM only encrypted.
 *
 * @param payload see {@link PayloadType}
 * @param migrationAuth tpmProof if the key can not be migrated
 * @param pubDataDigest ties it to its public part: {@link TpmKey#pubDataDigest}
 * @param privKey TPM_STORE_PRIVKEY: one prime factor of the modulus
 */
public record StoreAsymkey(
        @U8 int payload,
        @Fixed(20) byte[] usageAuth,
        @Fixed(20) byte[] migrationAuth,
        @Fixed(20) byte[] pubDataDigest,
        @Sized byte[] privKey) {

    /** Zeroes what is secret. */
    public void destroy() {
        Secrets.zero(usageAuth, migrationAuth, privKey);
    }

    /** The same for another secret; shares the other arrays. */
    public StoreAsymkey withUsageAuth(byte[] to) {
        return new StoreAsymkey(payload, to, migrationAuth, pubDataDigest, privKey);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "StoreAsymkey[secret]";
    }
}
