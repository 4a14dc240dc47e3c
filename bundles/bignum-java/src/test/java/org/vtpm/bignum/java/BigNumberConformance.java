package org.vtpm.bignum.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.bignum.RsaCrtKey;

/** What {@link BigNumberProvider} promises, as tests that each provider's module runs on its own provider. */
public final class BigNumberConformance {
    /** Factors of a key made with {@code openssl genrsa 1024}. */
    private static final BigInteger P = hex("fa64d22d9f17b8e3b2161e97ca4164d6ee3264ee267a7acdc3c5e220b753572b"
            + "ee2f16eb2fef4528d772e5afe4458a09092988d0347ca5400f490d5cbfefebab");

    private static final BigInteger Q = hex("d262d6e78d876a3834ddeedd47362ff5f83554926696584cb167694ba679af2d"
            + "aa5e29a9ce9e281e9f095079bb9017ce6f529879eb034953831bb9b1d02c0a77");

    private static final BigInteger N = P.multiply(Q);
    private static final BigInteger E = BigInteger.valueOf(65537);
    private static final byte[] ZERO = {0};

    private final BigNumberProvider provider;

    private BigNumberConformance(BigNumberProvider provider) {
        this.provider = provider;
    }

    /** The tests, for a {@code @TestFactory}. */
    public static Stream<DynamicTest> of(BigNumberProvider provider) {
        BigNumberConformance c = new BigNumberConformance(provider);
        return Stream.of(
                test("has a name", () -> assertThat(provider.name()).isNotBlank()),
                test("modPow agrees with the definition", c::modPow),
                test("modPow takes its edges", c::modPowEdges),
                test("modPow refuses a zero modulus", c::modPowRefusesZeroModulus),
                test("modPowSecret agrees with modPow", c::modPowSecret),
                test("modPowSecret refuses even moduli and a zero exponent", c::modPowSecretRefuses),
                test("rsaPrivate inverts the public operation", c::rsaPrivate),
                test("rsaPrivate takes its factors in either order", c::rsaPrivateSwapped),
                test("rsaPrivate refuses keys that are none", c::rsaPrivateRefuses),
                test("nextPrime finds known primes", c::nextPrime),
                test("nextPrime skips strong pseudoprimes", c::nextPrimeSkipsPseudoprimes),
                test("arguments are left as they were", c::argumentsUntouched));
    }

    private static DynamicTest test(String name, Executable body) {
        return DynamicTest.dynamicTest(name, body);
    }

    private void modPow() {
        Random random = new Random(1);
        for (int bits : new int[] {8, 63, 64, 65, 512, 1000, 2048}) {
            BigInteger modulus = new BigInteger(bits, random).setBit(bits - 1);
            BigInteger base = new BigInteger(bits + 100, random);
            BigInteger exponent = new BigInteger(bits / 2, random);
            assertThat(provider.modPow(base.toByteArray(), exponent.toByteArray(), bytes(modulus, 300)))
                    .isEqualTo(bytes(base.modPow(exponent, modulus), 300));
        }
    }

    private void modPowEdges() {
        byte[] seven = {0, 7};
        assertThat(provider.modPow(new byte[] {3}, ZERO, seven)).containsExactly(0, 1);
        assertThat(provider.modPow(ZERO, new byte[] {3}, seven)).containsExactly(0, 0);
        assertThat(provider.modPow(new byte[0], new byte[0], seven)).containsExactly(0, 1);
        assertThat(provider.modPow(new byte[] {14}, new byte[] {1}, seven)).containsExactly(0, 0);
        assertThat(provider.modPow(new byte[] {3}, new byte[] {5}, new byte[] {1}))
                .containsExactly(0);
        assertThat(provider.modPow(new byte[] {3}, new byte[] {5}, new byte[] {1, 0}))
                .containsExactly(0, 243);
    }

    private void modPowRefusesZeroModulus() {
        for (byte[] zero : new byte[][] {{}, ZERO, new byte[128]}) {
            assertThatThrownBy(() -> provider.modPow(ZERO, ZERO, zero)).isInstanceOf(ArithmeticException.class);
        }
    }

    private void modPowSecret() {
        Random random = new Random(2);
        for (int bits : new int[] {1, 8, 63, 64, 65, 512, 1000, 2048}) {
            BigInteger modulus = new BigInteger(bits, random).setBit(bits - 1).setBit(0);
            BigInteger base = new BigInteger(bits + 100, random);
            BigInteger exponent = new BigInteger(bits, random).setBit(0);
            byte[] expected = bytes(base.modPow(exponent, modulus), 300);
            for (int i = 0; i < 3; i++) {
                assertThat(provider.modPowSecret(base.toByteArray(), exponent.toByteArray(), bytes(modulus, 300)))
                        .isEqualTo(expected);
            }
        }
        assertThat(provider.modPowSecret(ZERO, new byte[] {5}, new byte[] {7})).containsExactly(0);
    }

    private void modPowSecretRefuses() {
        byte[] three = {3};
        for (byte[] even : new byte[][] {{}, ZERO, {2}, {1, 0}}) {
            assertThatThrownBy(() -> provider.modPowSecret(three, three, even)).isInstanceOf(ArithmeticException.class);
        }
        for (byte[] zero : new byte[][] {{}, ZERO, new byte[64]}) {
            assertThatThrownBy(() -> provider.modPowSecret(three, zero, three)).isInstanceOf(ArithmeticException.class);
        }
    }

    private void rsaPrivate() {
        RsaCrtKey key = key(P, Q);
        Random random = new Random(3);
        Stream<BigInteger> messages = Stream.concat(
                Stream.of(BigInteger.ZERO, BigInteger.ONE, P, Q, N.subtract(BigInteger.ONE)),
                Stream.generate(() -> new BigInteger(1024, random).mod(N)).limit(20));
        messages.forEach(m -> assertThat(provider.rsaPrivate(m.modPow(E, N).toByteArray(), key))
                .isEqualTo(bytes(m, 128)));
    }

    private void rsaPrivateSwapped() {
        BigInteger message = BigInteger.valueOf(0xCAFE);
        assertThat(provider.rsaPrivate(message.modPow(E, N).toByteArray(), key(Q, P)))
                .isEqualTo(bytes(message, 128));
    }

    private void rsaPrivateRefuses() {
        RsaCrtKey good = key(P, Q);
        byte[] even = bytes(P.subtract(BigInteger.ONE), 64);
        for (RsaCrtKey bad : new RsaCrtKey[] {
            new RsaCrtKey(even, good.q(), good.dp(), good.dq(), good.qInv()),
            new RsaCrtKey(good.p(), even, good.dp(), good.dq(), good.qInv()),
            new RsaCrtKey(ZERO, good.q(), good.dp(), good.dq(), good.qInv()),
            new RsaCrtKey(good.p(), good.q(), ZERO, good.dq(), good.qInv()),
            new RsaCrtKey(good.p(), good.q(), good.dp(), ZERO, good.qInv())
        }) {
            assertThatThrownBy(() -> provider.rsaPrivate(new byte[] {2}, bad)).isInstanceOf(ArithmeticException.class);
        }
    }

    private void nextPrime() {
        int[][] known = {{0, 2}, {1, 2}, {2, 2}, {3, 3}, {4, 5}, {90, 97}, {251, 251}, {252, 257}, {65522, 65537}};
        for (int[] pair : known) {
            BigInteger expected = BigInteger.valueOf(pair[1]);
            assertThat(provider.nextPrime(BigInteger.valueOf(pair[0]).toByteArray()))
                    .isEqualTo(bytes(expected, (expected.bitLength() + 7) / 8));
        }
        BigInteger mersenne = BigInteger.ONE.shiftLeft(521).subtract(BigInteger.ONE);
        assertThat(provider.nextPrime(bytes(mersenne.subtract(BigInteger.TEN), 80)))
                .isEqualTo(bytes(mersenne, 66));
        assertThat(provider.nextPrime(bytes(P, 64))).isEqualTo(bytes(P, 64));
        assertThat(new BigInteger(1, provider.nextPrime(bytes(P.add(BigInteger.ONE), 64))))
                .isEqualTo(P.nextProbablePrime());
    }

    /** Strong pseudoprimes to the bases 2, 3, 5, 7 and to the first twelve primes; a Carmichael number. */
    private void nextPrimeSkipsPseudoprimes() {
        for (String composite : new String[] {"3215031751", "318665857834031151167461", "561"}) {
            BigInteger start = new BigInteger(composite);
            assertThat(new BigInteger(1, provider.nextPrime(start.toByteArray())))
                    .isGreaterThan(start)
                    .isEqualTo(start.nextProbablePrime());
        }
    }

    private void argumentsUntouched() {
        RsaCrtKey key = key(P, Q);
        byte[] input = bytes(BigInteger.TWO, 128);
        provider.rsaPrivate(input, key);
        assertThat(input).isEqualTo(bytes(BigInteger.TWO, 128));
        assertThat(key).usingRecursiveComparison().isEqualTo(key(P, Q));
        provider.modPowSecret(input, key.dp(), key.p());
        provider.modPow(input, key.dp(), key.p());
        provider.nextPrime(key.p());
        assertThat(key).usingRecursiveComparison().isEqualTo(key(P, Q));
    }

    private static RsaCrtKey key(BigInteger p, BigInteger q) {
        return new RsaCrtKey(
                bytes(p, 64),
                bytes(q, 64),
                bytes(E.modInverse(p.subtract(BigInteger.ONE)), 64),
                bytes(E.modInverse(q.subtract(BigInteger.ONE)), 64),
                bytes(q.modInverse(p), 64));
    }

    private static BigInteger hex(String digits) {
        return new BigInteger(1, HexFormat.of().parseHex(digits));
    }

    private static byte[] bytes(BigInteger number, int length) {
        byte[] signed = number.toByteArray();
        byte[] unsigned = new byte[length];
        int count = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - count, unsigned, length - count, count);
        return unsigned;
    }
}
