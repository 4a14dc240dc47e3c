package org.vtpm.tpm12.structure;

import java.util.stream.IntStream;
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
     * @throws TpmException with BAD_KEY_PROPERTY unless it is an odd prime up to 65537, which all that software uses are
     */
    public int publicExponent() {
        if (exponent.length == 0) {
            return RsaPublicKey.F4;
        }
        int value = 0;
        for (byte digit : exponent) {
            value = (value << 8) | (digit & 0xFF);
            TpmException.require(value <= RsaPublicKey.F4, ReturnCode.BAD_KEY_PROPERTY);
        }
        TpmException.require(oddPrime(value), ReturnCode.BAD_KEY_PROPERTY);
        return value;
    }

    private static boolean oddPrime(int value) {
        return value >= SMALLEST_EXPONENT
                && value % 2 != 0
                && IntStream.iterate(3, divisor -> divisor * divisor <= value, divisor -> divisor + 2)
                        .noneMatch(divisor -> value % divisor == 0);
    }
}
