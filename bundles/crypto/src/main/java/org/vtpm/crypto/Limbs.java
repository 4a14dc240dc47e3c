package org.vtpm.crypto;

import java.util.Arrays;
import org.bouncycastle.math.raw.Mod;

/**
 * Natural numbers as arrays of 32-bit words, least significant first: the little arithmetic that derives an RSA key's parts
 * from each other. Unlike BigInteger, the arrays can be zeroed afterwards.
 */
final class Limbs {
    private static final long WORD = 0xFFFFFFFFL;

    private Limbs() {}

    /** The number that unsigned big-endian bytes stand for, in as many words as it needs, at least one. */
    static int[] of(byte[] bytes) {
        int[] words = new int[Math.max(1, (bytes.length + 3) / 4)];
        for (int i = 0; i < bytes.length; i++) {
            words[i / 4] |= (bytes[bytes.length - 1 - i] & 0xFF) << (8 * (i % 4));
        }
        return trimmed(words);
    }

    /** Unsigned, big-endian, without leading zeros. */
    static byte[] bytes(int[] words) {
        int length = (bitLength(words) + 7) / 8;
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[length - 1 - i] = (byte) (words[i / 4] >>> (8 * (i % 4)));
        }
        return bytes;
    }

    static int bitLength(int[] words) {
        for (int i = words.length - 1; i >= 0; i--) {
            if (words[i] != 0) {
                return 32 * (i + 1) - Integer.numberOfLeadingZeros(words[i]);
            }
        }
        return 0;
    }

    /** Negative, zero or positive as a is less than, equal to or greater than b. */
    static int compare(int[] a, int[] b) {
        for (int i = Math.max(a.length, b.length) - 1; i >= 0; i--) {
            int order = Integer.compareUnsigned(i < a.length ? a[i] : 0, i < b.length ? b[i] : 0);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    static int[] product(int[] a, int[] b) {
        int[] product = new int[a.length + b.length];
        for (int i = 0; i < a.length; i++) {
            long carry = 0;
            for (int j = 0; j < b.length; j++) {
                carry += (a[i] & WORD) * (b[j] & WORD) + (product[i + j] & WORD);
                product[i + j] = (int) carry;
                carry >>>= 32;
            }
            product[i + b.length] = (int) carry;
        }
        return product;
    }

    /**
     * {@code n / d} where it leaves no remainder and d is odd, from the least significant word up. Where it would leave one
     * the result means nothing: multiply to see.
     */
    static int[] exactQuotient(int[] n, int[] d) {
        int inverse = Mod.inverse32(d[0]);
        int[] rest = n.clone();
        int[] quotient = new int[n.length];
        for (int i = 0; i < quotient.length; i++) {
            int word = rest[i] * inverse;
            quotient[i] = word;
            long borrow = 0;
            for (int j = 0; i + j < rest.length; j++) {
                long subtrahend = borrow + (j < d.length ? (word & WORD) * (d[j] & WORD) : 0);
                long difference = (rest[i + j] & WORD) - (subtrahend & WORD);
                rest[i + j] = (int) difference;
                borrow = (subtrahend >>> 32) + (difference < 0 ? 1 : 0);
            }
        }
        Arrays.fill(rest, 0);
        return trimmed(quotient);
    }

    /** {@code x mod m} for a positive m. */
    static int remainder(int[] x, int m) {
        long remainder = 0;
        for (int i = x.length - 1; i >= 0; i--) {
            remainder = ((remainder << 32) | (x[i] & WORD)) % m;
        }
        return (int) remainder;
    }

    /** {@code (x * factor + 1) / divisor}, all positive and without remainder. */
    static int[] timesPlusOneOver(int[] x, int factor, int divisor) {
        int[] numerator = new int[x.length + 1];
        long carry = 1;
        for (int i = 0; i < x.length; i++) {
            carry += (x[i] & WORD) * factor;
            numerator[i] = (int) carry;
            carry >>>= 32;
        }
        numerator[x.length] = (int) carry;
        long remainder = 0;
        for (int i = numerator.length - 1; i >= 0; i--) {
            long dividend = (remainder << 32) | (numerator[i] & WORD);
            numerator[i] = (int) (dividend / divisor);
            remainder = dividend % divisor;
        }
        return numerator;
    }

    /**
     * The inverse of x modulo an odd m, in constant time.
     *
     * @param x less than m
     * @return zero if there is none
     */
    static int[] inverse(int[] x, int[] m) {
        int[] inverse = new int[m.length];
        int[] padded = Arrays.copyOf(x, m.length);
        int exists = Mod.modOddInverse(m, padded, inverse);
        Arrays.fill(padded, 0);
        return exists == 0 ? new int[m.length] : inverse;
    }

    private static int[] trimmed(int[] words) {
        int length = Math.max(1, (bitLength(words) + 31) / 32);
        int[] trimmed = Arrays.copyOf(words, length);
        Arrays.fill(words, 0);
        return trimmed;
    }
}
