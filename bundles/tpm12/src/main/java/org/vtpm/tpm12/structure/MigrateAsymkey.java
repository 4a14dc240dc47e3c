package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;

/**
 * TPM_MIGRATE_ASYMKEY (TPM Main Part 2, section 10.8): the secret part of a key on its way.
 *
 * @param payload see {@link PayloadType}
 * @param partPrivKey the encoded TPM_STORE_PRIVKEY without its first 20 bytes
 */
public record MigrateAsymkey(
        @U8 int payload,
        @Fixed(20) byte[] usageAuth,
        @Fixed(20) byte[] pubDataDigest,
        @Sized byte[] partPrivKey) {

    /** Zeroes what is secret. */
    public void destroy() {
        Secrets.zero(usageAuth, partPrivKey);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "MigrateAsymkey[secret]";
    }
}
