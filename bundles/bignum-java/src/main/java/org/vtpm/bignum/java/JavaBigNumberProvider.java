package org.vtpm.bignum.java;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.bignum.RsaCrtKey;

/**
 * {@link BigNumberProvider} on {@link BigInteger}. BigInteger's exponentiation takes a time that depends on its operands,
 * so wherever an exponent is secret the operands are made different each time (see {@link #blindedPow}); what a clock
 * shows then belongs to numbers that never come again. BigInteger cannot be wiped: copies of secrets stay on the heap
 * until it is collected, which is one reason to prefer the native provider.
 */
@Component
@ServiceRanking(0)
public final class JavaBigNumberProvider implements BigNumberProvider {
    /** Bits of each random factor: too many to guess, few enough to cost an exponentiation a tenth of its time. */
    private static final int BLINDING_BITS = 64;

    private final SecureRandom random = new SecureRandom();

    @Override
    public String name() {
        return "java";
    }

    @Override
    public byte[] modPow(byte[] base, byte[] exponent, byte[] modulus) {
        return toBytes(number(base).modPow(number(exponent), number(modulus)), modulus.length);
    }

    /**
     * The modulus's factors are unknown here, so the exponent is split instead: with a random k, b^e = (b^k)^(e div k) *
     * b^(e mod k). Both parts differ each time.
     */
    @Override
    public byte[] modPowSecret(byte[] base, byte[] exponent, byte[] modulus) {
        BigInteger m = number(modulus);
        BigInteger e = number(exponent);
        if (!m.testBit(0) || e.signum() == 0) {
            throw new ArithmeticException("a secret exponent must not be zero, and its modulus must be odd");
        }
        BigInteger k = randomOdd();
        BigInteger[] parts = e.divideAndRemainder(k);
        BigInteger ring = m.multiply(randomOdd());
        BigInteger b = number(base);
        BigInteger power = b.modPow(k, ring).modPow(parts[0], ring).multiply(b.modPow(parts[1], ring));
        return toBytes(power.mod(m), modulus.length);
    }

    @Override
    public byte[] rsaPrivate(byte[] input, RsaCrtKey key) {
        BigInteger x = number(input);
        BigInteger p = number(key.p());
        BigInteger q = number(key.q());
        BigInteger dp = number(key.dp());
        BigInteger dq = number(key.dq());
        if (!p.testBit(0) || !q.testBit(0) || dp.signum() == 0 || dq.signum() == 0) {
            throw new ArithmeticException("RSA factors must be odd, and their exponents not zero");
        }
        BigInteger viaP = blindedPow(x, dp, p);
        BigInteger viaQ = blindedPow(x, dq, q);
        BigInteger h = viaP.subtract(viaQ).multiply(number(key.qInv())).mod(p);
        return toBytes(viaQ.add(h.multiply(q)), (p.multiply(q).bitLength() + 7) / 8);
    }

    @Override
    public byte[] nextPrime(byte[] start) {
        BigInteger least = number(start);
        BigInteger prime = least.compareTo(BigInteger.TWO) <= 0
                ? BigInteger.TWO
                : least.subtract(BigInteger.ONE).nextProbablePrime();
        return toBytes(prime, (prime.bitLength() + 7) / 8);
    }

    /**
     * {@code x ^ e mod p} for a prime p, blinded twice: the exponent is e + k(p-1), and the computation goes on modulo p*r,
     * with k and r random.
     */
    private BigInteger blindedPow(BigInteger x, BigInteger e, BigInteger p) {
        BigInteger blindedExponent = e.add(randomOdd().multiply(p.subtract(BigInteger.ONE)));
        return x.modPow(blindedExponent, p.multiply(randomOdd())).mod(p);
    }

    private BigInteger randomOdd() {
        return new BigInteger(BLINDING_BITS, random).setBit(0);
    }

    private static BigInteger number(byte[] unsigned) {
        return new BigInteger(1, unsigned);
    }

    private static byte[] toBytes(BigInteger number, int length) {
        byte[] signed = number.toByteArray();
        byte[] unsigned = new byte[length];
        int count = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - count, unsigned, length - count, count);
        Arrays.fill(signed, (byte) 0);
        return unsigned;
    }
}
