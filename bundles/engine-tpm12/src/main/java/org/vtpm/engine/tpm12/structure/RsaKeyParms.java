package org.vtpm.engine.tpm12.structure;

import org.vtpm.codec.Sized;
import org.vtpm.crypto.RsaPublicKey;

/**
 * TPM_RSA_KEY_PARMS (TPM Main Part 2, section 10.1.1).
 *
 * @param keyLength in bits
 * @param exponent big-endian; empty stands for 65537
 */
public record RsaKeyParms(
        int keyLength, int numPrimes, @Sized byte[] exponent) {
    private static final int SMALLEST_EXPONENT = 3;

    /** Parameters of a key with two primes and the exponent 65537. */
    public static RsaKeyParms ofLength(int bits) {
        return new RsaKeyParms(bits, 2, new byte[0]);
    }

    /**
     * The exponent as a number.
     *
     * @throws TpmException with BAD_KEY_PROPERTY if no key can have it, or if it is longer than 31 bits
     */
    public int publicExponent() {
        if (exponent.length == 0) {
            return RsaPublicKey.F4;
        }
        long value = 0;
        for (byte digit : exponent) {
            value = (value << 8) | (digit & 0xFF);
            TpmException.require(value <= Integer.MAX_VALUE, ReturnCode.BAD_KEY_PROPERTY);
        }
        TpmException.require(value >= SMALLEST_EXPONENT && value % 2 == 1, ReturnCode.BAD_KEY_PROPERTY);
        return (int) value;
    }
}
