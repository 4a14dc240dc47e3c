package org.vtpm.tpm12.structure;

import org.vtpm.codec.Sized;

/**
 * TPM_STORE_PUBKEY (TPM Main Part 2, section 10.4).
 *
 * @param key the modulus of an RSA key, big-endian, exactly as long as the key
 */
public record StorePubkey(@Sized byte[] key) {}
