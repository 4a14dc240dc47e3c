package org.vtpm.crypto;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.Supplier;
import org.vtpm.api.bignum.BigNumberProvider;

/**
 * Makes RSA keys of two primes. Each is the first prime after a random start; {@code docs/decisions/0001-prime-search.md}
 * says why that is good enough. Thread-safe.
 */
public final class RsaKeyGenerator {
    /** Primes must differ within their first 100 bits (FIPS 186-4, B.3.3), here rounded up to whole bytes. */
    private static final int DISTINCT_BYTES = 13;

    private final Supplier<BigNumberProvider> provider;
    private final SecureRandom random;

    /**
     * Makes a generator.
     *
     * @param provider asked once for each key
     */
    public RsaKeyGenerator(Supplier<BigNumberProvider> provider, SecureRandom random) {
        this.provider = provider;
        this.random = random;
    }

    /**
     * A new key with the public exponent {@link RsaPublicKey#F4}. Takes from some milliseconds to seconds.
     *
     * @param bits exact length of the modulus, a multiple of 16, at least 512
     */
    public RsaPrivateKey generate(int bits) {
        return generate(bits, RsaPublicKey.F4);
    }

    /**
     * A new key with a public exponent of the caller's choice.
     *
     * @param bits exact length of the modulus, a multiple of 16, at least 512
     * @param exponent odd, at least 3
     */
    public RsaPrivateKey generate(int bits, int exponent) {
        if (bits < 512 || bits % 16 != 0) {
            throw new IllegalArgumentException("an RSA key has at least 512 bits, a multiple of 16, not " + bits);
        }
        BigNumberProvider numbers = provider.get();
        byte[] p = prime(numbers, bits / 16, exponent);
        byte[] q = prime(numbers, bits / 16, exponent);
        while (Arrays.equals(p, 0, DISTINCT_BYTES, q, 0, DISTINCT_BYTES)) {
            Secrets.zero(q);
            q = prime(numbers, bits / 16, exponent);
        }
        int[] a = Limbs.of(p);
        int[] b = Limbs.of(q);
        try {
            RsaPublicKey publicKey = new RsaPublicKey(Limbs.bytes(Limbs.product(a, b)), exponent);
            return RsaPrivateKey.ofPrimes(publicKey, a, b);
        } catch (RsaException e) {
            throw new IllegalStateException("the big-number provider " + numbers.name() + " made no primes", e);
        } finally {
            Secrets.zero(p, q);
            Arrays.fill(a, 0);
            Arrays.fill(b, 0);
        }
    }

    /** A prime whose two highest bits are set, so that the product of two has full length. */
    private byte[] prime(BigNumberProvider numbers, int length, int exponent) {
        byte[] start = new byte[length];
        while (true) {
            random.nextBytes(start);
            start[0] |= (byte) 0xC0;
            start[length - 1] |= 1;
            byte[] prime = numbers.nextPrime(start);
            Secrets.zero(start);
            int[] words = Limbs.of(prime);
            boolean fits = prime.length == length && RsaPrivateKey.fits(exponent, words);
            Arrays.fill(words, 0);
            if (fits) {
                return prime;
            }
            Secrets.zero(prime);
        }
    }
}
