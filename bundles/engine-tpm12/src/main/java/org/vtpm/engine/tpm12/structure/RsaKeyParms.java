package org.vtpm.engine.tpm12.structure;

import org.vtpm.codec.Sized;

/**
 * TPM_RSA_KEY_PARMS (TPM Main Part 2, section 10.1.1).
 *
 * @param keyLength in bits
 * @param exponent big-endian; empty stands for 65537
 */
public record RsaKeyParms(
        int keyLength, int numPrimes, @Sized byte[] exponent) {
    /** Parameters of a key with two primes and the exponent 65537. */
    public static RsaKeyParms ofLength(int bits) {
        return new RsaKeyParms(bits, 2, new byte[0]);
    }
}
