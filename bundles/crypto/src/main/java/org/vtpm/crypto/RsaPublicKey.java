package org.vtpm.crypto;

import java.util.Arrays;

/**
 * An RSA public key.
 *
 * @param modulus unsigned, big-endian, without leading zeros; odd
 * @param exponent odd, at least 3
 */
public record RsaPublicKey(byte[] modulus, int exponent) {
    /** Fermat's fourth number, 2^16+1: the only exponent of the keys this TPM makes (TPM Main Part 2, section 10.3). */
    public static final int F4 = 65537;

    /** Checks that it has the form of a public key. */
    public RsaPublicKey {
        if (modulus.length == 0 || modulus[0] == 0 || (modulus[modulus.length - 1] & 1) == 0) {
            throw new IllegalArgumentException("an RSA modulus is odd and has no leading zeros");
        }
        if (exponent < 3 || (exponent & 1) == 0) {
            throw new IllegalArgumentException("an RSA exponent is odd and at least 3");
        }
    }

    /** Length in bytes of the modulus, and so of every ciphertext and signature. */
    public int length() {
        return modulus.length;
    }

    byte[] exponentBytes() {
        return new byte[] {(byte) (exponent >>> 24), (byte) (exponent >>> 16), (byte) (exponent >>> 8), (byte) exponent
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RsaPublicKey key && exponent == key.exponent && Arrays.equals(modulus, key.modulus);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(modulus) + exponent;
    }
}
