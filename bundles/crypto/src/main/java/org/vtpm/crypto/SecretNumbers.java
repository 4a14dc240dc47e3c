package org.vtpm.crypto;

import java.util.Arrays;

/**
 * Natural numbers that are secret: unsigned, big-endian, of a length that is known to everybody. What an operation does
 * depends on the lengths only, never on the values, and what it needed in between is zeroed. Results have a fixed length,
 * leading zeros included, and belong to the caller.
 */
public final class SecretNumbers {
    private static final long WORD = 0xFFFFFFFFL;

    private SecretNumbers() {}

    /** {@code a + b}, one byte longer than the longer of them. */
    public static byte[] sum(byte[] a, byte[] b) {
        byte[] sum = new byte[Math.max(a.length, b.length) + 1];
        int carry = 0;
        for (int i = 1; i <= sum.length; i++) {
            carry += digit(a, i) + digit(b, i);
            sum[sum.length - i] = (byte) carry;
            carry >>>= Byte.SIZE;
        }
        return sum;
    }

    /** {@code a * b}, as long as both together. */
    public static byte[] product(byte[] a, byte[] b) {
        int[] x = words(a);
        int[] y = words(b);
        int[] product = Limbs.product(x, y);
        byte[] bytes = bytes(product, a.length + b.length);
        zero(x, y, product);
        return bytes;
    }

    /**
     * {@code x mod m}, as long as m.
     *
     * @throws ArithmeticException if m is zero
     */
    public static byte[] remainder(byte[] x, byte[] m) {
        int[] modulus = words(m);
        if (Limbs.bitLength(modulus) == 0) {
            throw new ArithmeticException("division by zero");
        }
        // One word more than the modulus: a remainder is doubled before the modulus is taken off.
        int[] rest = new int[modulus.length + 1];
        int[] less = new int[rest.length];
        for (byte value : x) {
            for (int bit = Byte.SIZE - 1; bit >= 0; bit--) {
                twice(rest, (value >>> bit) & 1);
                int tooMuch = difference(rest, modulus, less);
                for (int i = 0; i < rest.length; i++) {
                    rest[i] = (rest[i] & tooMuch) | (less[i] & ~tooMuch);
                }
            }
        }
        byte[] bytes = bytes(rest, m.length);
        zero(modulus, rest, less);
        return bytes;
    }

    /** {@code x = 2x + bit}. */
    private static void twice(int[] x, int bit) {
        int carry = bit;
        for (int i = 0; i < x.length; i++) {
            int next = x[i] >>> (Integer.SIZE - 1);
            x[i] = (x[i] << 1) | carry;
            carry = next;
        }
    }

    /** {@code to = a - b}; all ones if that is negative, else zero. */
    private static int difference(int[] a, int[] b, int[] to) {
        long borrow = 0;
        for (int i = 0; i < a.length; i++) {
            borrow += (a[i] & WORD) - (i < b.length ? b[i] & WORD : 0);
            to[i] = (int) borrow;
            borrow >>= Integer.SIZE;
        }
        return (int) borrow;
    }

    /** The i-th byte from the end, counted from 1; zero before the first. */
    private static int digit(byte[] bytes, int i) {
        return i <= bytes.length ? bytes[bytes.length - i] & 0xFF : 0;
    }

    /** Least significant word first, leading zeros included. */
    private static int[] words(byte[] bytes) {
        int[] words = new int[(bytes.length + 3) / 4];
        for (int i = 0; i < bytes.length; i++) {
            words[i / 4] |= digit(bytes, i + 1) << (Byte.SIZE * (i % 4));
        }
        return words;
    }

    private static byte[] bytes(int[] words, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[length - 1 - i] = (byte) (words[i / 4] >>> (Byte.SIZE * (i % 4)));
        }
        return bytes;
    }

    private static void zero(int[]... secrets) {
        for (int[] secret : secrets) {
            Arrays.fill(secret, 0);
        }
    }
}
