package org.vtpm.engine.tpm12.command;

import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaKeyGenerator;
import org.vtpm.crypto.RsaPrivateKey;

/**
 * What a TPM needs from outside.
 *
 * @param random the TPM's own generator: instances must not wait for each other's
 * @param nanoClock a clock that only runs forward, in nanoseconds
 * @param wallClock the calendar, in milliseconds since 1970; it may be set
 * @param bigNumbers the provider to use for the next operation; it may change between two
 */
public record Environment(
        SecureRandom random, LongSupplier nanoClock, LongSupplier wallClock, Supplier<BigNumberProvider> bigNumbers) {
    /**
     * This environment with a clock that goes on from {@code clockNanos}, which it showed when the calendar showed {@code
     * wallMillis}. A calendar that was set back meanwhile counts as one that stood still.
     */
    Environment goingOnFrom(long clockNanos, long wallMillis) {
        long away = TimeUnit.MILLISECONDS.toNanos(Math.max(0, wallClock.getAsLong() - wallMillis));
        long ahead = clockNanos + away - nanoClock.getAsLong();
        return new Environment(random, () -> nanoClock.getAsLong() + ahead, wallClock, bigNumbers);
    }

    /** RSA with the provider of the moment. */
    public Rsa rsa() {
        return new Rsa(bigNumbers, random);
    }

    /** A new RSA key of two primes. */
    public RsaPrivateKey newRsaKey(int bits, int exponent) {
        return new RsaKeyGenerator(bigNumbers, random).generate(bits, exponent);
    }

    /** Fresh random bytes. */
    public byte[] random(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
