package org.vtpm.crypto;

import java.util.Arrays;
import org.vtpm.api.bignum.RsaCrtKey;

/**
 * An RSA private key. What stores one needs to keep only the modulus and one prime; the rest follows.
 *
 * @param publicKey its other half
 * @param crt the secret: whoever holds the record calls {@link #destroy} when done
 */
public record RsaPrivateKey(RsaPublicKey publicKey, RsaCrtKey crt) {
    /**
     * The key of a modulus of which one prime factor is known, as TPM_STORE_PRIVKEY and TPM_STORE_ASYMKEY keep it (TPM Main
     * Part 2, sections 10.6 and 10.7).
     *
     * @param prime unsigned, big-endian; stays the caller's
     * @throws RsaException if the prime and the public key do not belong together. Whether the factors are primes is not
     *     checked: with others the private operation fails its own verification
     */
    public static RsaPrivateKey ofPrime(RsaPublicKey publicKey, byte[] prime) throws RsaException {
        int[] n = Limbs.of(publicKey.modulus());
        int[] p = Limbs.of(prime);
        int[] q = {0};
        int[] product = {};
        try {
            if (isOddFactor(p)) {
                q = Limbs.exactQuotient(n, p);
                product = Limbs.product(p, q);
            }
            if (!isOddFactor(p) || !isOddFactor(q) || Limbs.compare(product, n) != 0) {
                throw mismatch();
            }
            return ofPrimes(publicKey, p, q);
        } finally {
            zero(p, q, product);
        }
    }

    /** The key of two different primes; the arguments stay the caller's. */
    static RsaPrivateKey ofPrimes(RsaPublicKey publicKey, int[] a, int[] b) throws RsaException {
        boolean ordered = Limbs.compare(a, b) > 0;
        int[] p = ordered ? a : b;
        int[] q = ordered ? b : a;
        int[] dp = {};
        int[] dq = {};
        int[] qInv = {};
        try {
            dp = crtExponent(p, publicKey.exponent());
            dq = crtExponent(q, publicKey.exponent());
            qInv = Limbs.inverse(q, p);
            if (Limbs.bitLength(qInv) == 0) {
                throw mismatch();
            }
            return new RsaPrivateKey(
                    publicKey,
                    new RsaCrtKey(Limbs.bytes(p), Limbs.bytes(q), Limbs.bytes(dp), Limbs.bytes(dq), Limbs.bytes(qInv)));
        } finally {
            zero(dp, dq, qInv);
        }
    }

    /** Zeroes the secret; the key cannot be used afterwards. */
    public void destroy() {
        Secrets.zero(crt.p(), crt.q(), crt.dp(), crt.dq(), crt.qInv());
    }

    /** Whether a public exponent has an inverse modulo p-1. */
    static boolean fits(int exponent, int[] p) {
        return gcd(Limbs.remainder(p, exponent) - 1, exponent) == 1;
    }

    /**
     * {@code 1/e mod p-1}: with {@code k = -1/(p-1) mod e}, {@code k(p-1)+1} is a multiple of e, and its quotient the
     * inverse.
     */
    private static int[] crtExponent(int[] p, int e) throws RsaException {
        if (!fits(e, p)) {
            throw mismatch();
        }
        int[] pMinusOne = p.clone();
        pMinusOne[0] &= ~1;
        int k = e - inverse(Limbs.remainder(pMinusOne, e), e);
        int[] inverse = Limbs.timesPlusOneOver(pMinusOne, k, e);
        zero(pMinusOne);
        return inverse;
    }

    private static boolean isOddFactor(int[] factor) {
        return (factor[0] & 1) == 1 && Limbs.bitLength(factor) > 1;
    }

    private static RsaException mismatch() {
        return new RsaException("the prime is not a factor of the modulus, or the exponent does not fit it");
    }

    private static int gcd(int a, int b) {
        return a == 0 ? Math.abs(b) : gcd(b % a, a);
    }

    /** {@code 1/x mod m} for coprime x and m, by the extended Euclidean algorithm. */
    private static int inverse(int x, int m) {
        long rest = m;
        long divisor = x;
        long previous = 0;
        long coefficient = 1;
        while (divisor > 1) {
            long quotient = rest / divisor;
            long remainder = rest % divisor;
            long next = previous - quotient * coefficient;
            rest = divisor;
            divisor = remainder;
            previous = coefficient;
            coefficient = next;
        }
        return (int) Math.floorMod(coefficient, (long) m);
    }

    private static void zero(int[]... secrets) {
        for (int[] secret : secrets) {
            Arrays.fill(secret, 0);
        }
    }
}
