package org.vtpm.tpm12.structure;

import org.vtpm.codec.Sized;

/**
 * TPM_STORE_PRIVKEY (TPM Main Part 2, section 10.7). Secret.
 *
 * @param key one prime factor of the modulus
 */
public record StorePrivkey(@Sized byte[] key) {
    /** Names no secret. */
    @Override
    public String toString() {
        return "StorePrivkey[secret]";
    }
}
