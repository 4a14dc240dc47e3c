package org.vtpm.api.bignum;

/**
 * The arithmetic that public-key cryptography stands on. Several providers may be registered; the one with the highest
 * {@code service.ranking} is used, and it may change between two calls. A provider stays usable until calls in flight
 * have returned, also after its service is gone.
 *
 * <p>All numbers are unsigned, big-endian, with or without leading zeros. Results have exactly the modulus's length.
 * Implementations are thread-safe.
 */
public interface BigNumberProvider {
    /** A short name for operators, such as {@code gmp}. */
    String name();

    /**
     * {@code base ^ exponent mod modulus} for public exponents; the time it takes may depend on all three.
     *
     * @throws ArithmeticException if the modulus is zero
     */
    byte[] modPow(byte[] base, byte[] exponent, byte[] modulus);

    /**
     * {@code base ^ exponent mod modulus} where the exponent is secret: its value must not show in the time taken.
     *
     * @throws ArithmeticException if the modulus is even or the exponent is zero
     */
    byte[] modPowSecret(byte[] base, byte[] exponent, byte[] modulus);

    /**
     * The RSA private operation by Chinese remaindering (RFC 8017, section 5.1.2), with secret exponents. The result is
     * not verified against the public key: the caller does, to keep a computation fault from giving a factor away.
     *
     * @param input less than p*q
     * @return as long as the modulus p*q
     */
    byte[] rsaPrivate(byte[] input, RsaCrtKey key);

    /**
     * The smallest probable prime that is at least {@code start}, composite with a probability below 2^-100.
     *
     * @return as many bytes as the prime needs
     */
    byte[] nextPrime(byte[] start);
}
