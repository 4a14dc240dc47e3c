package org.vtpm.itests.fuzz;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.bignum.RsaCrtKey;
import org.vtpm.bignum.java.JavaBigNumberProvider;

/**
 * Arithmetic with primes from a small stock, in turn: key generation costs next to nothing, so that the search sees many
 * more commands. Breaks the promise of {@link BigNumberProvider#nextPrime} about which prime it is.
 */
final class PrimeStock implements BigNumberProvider {
    private static final int STOCK = 12;

    private final BigNumberProvider java = new JavaBigNumberProvider();
    private final Map<Integer, Deque<byte[]>> stocks = new HashMap<>();
    private final Random random = new Random(1);

    @Override
    public String name() {
        return "stock";
    }

    @Override
    public byte[] modPow(byte[] base, byte[] exponent, byte[] modulus) {
        return java.modPow(base, exponent, modulus);
    }

    @Override
    public byte[] modPowSecret(byte[] base, byte[] exponent, byte[] modulus) {
        return java.modPowSecret(base, exponent, modulus);
    }

    @Override
    public byte[] rsaPrivate(byte[] input, RsaCrtKey key) {
        return java.rsaPrivate(input, key);
    }

    @Override
    public synchronized byte[] nextPrime(byte[] start) {
        Deque<byte[]> stock = stocks.computeIfAbsent(start.length, this::fill);
        byte[] prime = stock.removeFirst();
        stock.addLast(prime);
        return prime.clone();
    }

    private Deque<byte[]> fill(int length) {
        Deque<byte[]> stock = new ArrayDeque<>();
        byte[] start = new byte[length];
        while (stock.size() < STOCK) {
            random.nextBytes(start);
            start[0] |= (byte) 0xC0;
            stock.addLast(java.nextPrime(start));
        }
        return stock;
    }
}
