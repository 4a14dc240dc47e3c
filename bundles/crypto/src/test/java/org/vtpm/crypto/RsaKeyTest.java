package org.vtpm.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.interfaces.RSAPrivateCrtKey;
import org.junit.jupiter.api.Test;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.bignum.java.JavaBigNumberProvider;

/** SunRsaSign makes the keys that ours are held against. */
class RsaKeyTest {
    private static final BigNumberProvider NUMBERS = new JavaBigNumberProvider();

    @Test
    void aKeyFollowsFromEitherOfItsPrimes() throws Exception {
        for (int bits : new int[] {512, 1024, 2048}) {
            RSAPrivateCrtKey expected = sunKey(bits);
            RsaPublicKey publicKey = publicKey(expected);
            for (BigInteger prime : new BigInteger[] {expected.getPrimeP(), expected.getPrimeQ()}) {
                assertIsCrtKeyOf(RsaPrivateKey.ofPrime(publicKey, prime.toByteArray()), expected);
            }
        }
    }

    @Test
    void exponentsOtherThanF4() throws Exception {
        BigInteger p = BigInteger.valueOf(1009);
        BigInteger q = BigInteger.valueOf(2003);
        for (int e : new int[] {5, 17, 19, 257, 65539, Integer.MAX_VALUE}) {
            RsaPublicKey publicKey = new RsaPublicKey(p.multiply(q).toByteArray(), e);
            RsaPrivateKey key = RsaPrivateKey.ofPrime(publicKey, p.toByteArray());
            assertThat(new BigInteger(1, key.crt().dp()))
                    .isEqualTo(BigInteger.valueOf(e).modInverse(q.subtract(BigInteger.ONE)));
            assertThat(new BigInteger(1, key.crt().dq()))
                    .isEqualTo(BigInteger.valueOf(e).modInverse(p.subtract(BigInteger.ONE)));
        }
        // 1008 is a multiple of 3 and 7, 2002 of 7, 11 and 13: such exponents have no inverse.
        for (int e : new int[] {3, 7, 11, 63}) {
            RsaPublicKey publicKey = new RsaPublicKey(p.multiply(q).toByteArray(), e);
            assertThatThrownBy(() -> RsaPrivateKey.ofPrime(publicKey, p.toByteArray()))
                    .isInstanceOf(RsaException.class);
        }
    }

    @Test
    void whatIsNoFactorIsRefused() throws Exception {
        RSAPrivateCrtKey sun = sunKey(512);
        RsaPublicKey publicKey = publicKey(sun);
        BigInteger two = BigInteger.TWO;
        for (BigInteger wrong : new BigInteger[] {
            BigInteger.ZERO,
            BigInteger.ONE,
            two,
            sun.getPrimeP().add(two),
            sun.getPrimeP().add(BigInteger.ONE),
            sun.getPrimeP().shiftLeft(32),
            sun.getModulus(),
            sun.getModulus().multiply(sun.getPrimeP())
        }) {
            assertThatThrownBy(() -> RsaPrivateKey.ofPrime(publicKey, wrong.toByteArray()))
                    .isInstanceOf(RsaException.class);
        }
        assertThatThrownBy(() -> RsaPrivateKey.ofPrime(publicKey, new byte[0])).isInstanceOf(RsaException.class);
        RsaPublicKey square =
                new RsaPublicKey(Limbs.bytes(Limbs.of(sun.getPrimeP().pow(2).toByteArray())), RsaPublicKey.F4);
        assertThatThrownBy(() -> RsaPrivateKey.ofPrime(square, sun.getPrimeP().toByteArray()))
                .isInstanceOf(RsaException.class);
    }

    @Test
    void generatedKeysAreWhatTheyClaim() throws Exception {
        RsaKeyGenerator generator = new RsaKeyGenerator(() -> NUMBERS, new SecureRandom());
        for (int bits : new int[] {512, 528, 1024, 2048}) {
            RsaPrivateKey key = generator.generate(bits);
            BigInteger n = new BigInteger(1, key.publicKey().modulus());
            BigInteger p = new BigInteger(1, key.crt().p());
            BigInteger q = new BigInteger(1, key.crt().q());
            assertThat(n.bitLength()).isEqualTo(bits);
            assertThat(p.multiply(q)).isEqualTo(n);
            assertThat(p.isProbablePrime(100)).isTrue();
            assertThat(q.isProbablePrime(100)).isTrue();
            assertThat(p.subtract(q).abs().bitLength()).isGreaterThan(bits / 2 - 105);
            assertIsCrtKeyOf(RsaPrivateKey.ofPrime(key.publicKey(), key.crt().q()), p, q);
        }
    }

    @Test
    void generatorTakesOnlyLengthsOfTwoEqualPrimes() {
        RsaKeyGenerator generator = new RsaKeyGenerator(() -> NUMBERS, new SecureRandom());
        for (int bits : new int[] {-1, 0, 256, 1000, 2047}) {
            assertThatThrownBy(() -> generator.generate(bits)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void publicKeysHaveTheFormOfOne() {
        for (byte[] modulus : new byte[][] {{}, {0, 15}, {14}}) {
            assertThatThrownBy(() -> new RsaPublicKey(modulus, 3)).isInstanceOf(IllegalArgumentException.class);
        }
        for (int exponent : new int[] {-1, 0, 1, 2, 65536}) {
            assertThatThrownBy(() -> new RsaPublicKey(new byte[] {15}, exponent))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(new RsaPublicKey(new byte[] {15}, 3))
                .isEqualTo(new RsaPublicKey(new byte[] {15}, 3))
                .hasSameHashCodeAs(new RsaPublicKey(new byte[] {15}, 3))
                .isNotEqualTo(new RsaPublicKey(new byte[] {15}, 5));
    }

    @Test
    void destroyedKeysAreZero() {
        RsaPrivateKey key = new RsaKeyGenerator(() -> NUMBERS, new SecureRandom()).generate(512);
        key.destroy();
        assertThat(key.crt().p()).containsOnly(0);
        assertThat(key.crt().qInv()).containsOnly(0);
        assertThat(key.toString()).contains("secret");
    }

    private static void assertIsCrtKeyOf(RsaPrivateKey key, RSAPrivateCrtKey expected) {
        assertIsCrtKeyOf(key, expected.getPrimeP(), expected.getPrimeQ());
        assertThat(new BigInteger(1, key.publicKey().modulus())).isEqualTo(expected.getModulus());
    }

    private static void assertIsCrtKeyOf(RsaPrivateKey key, BigInteger a, BigInteger b) {
        BigInteger p = a.max(b);
        BigInteger q = a.min(b);
        BigInteger e = BigInteger.valueOf(key.publicKey().exponent());
        assertThat(new BigInteger(1, key.crt().p())).isEqualTo(p);
        assertThat(new BigInteger(1, key.crt().q())).isEqualTo(q);
        assertThat(new BigInteger(1, key.crt().dp())).isEqualTo(e.modInverse(p.subtract(BigInteger.ONE)));
        assertThat(new BigInteger(1, key.crt().dq())).isEqualTo(e.modInverse(q.subtract(BigInteger.ONE)));
        assertThat(new BigInteger(1, key.crt().qInv())).isEqualTo(q.modInverse(p));
    }

    private static RsaPublicKey publicKey(RSAPrivateCrtKey key) {
        return new RsaPublicKey(
                Limbs.bytes(Limbs.of(key.getModulus().toByteArray())),
                key.getPublicExponent().intValueExact());
    }

    private static RSAPrivateCrtKey sunKey(int bits) throws NoSuchAlgorithmException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        KeyPair pair = generator.generateKeyPair();
        return (RSAPrivateCrtKey) pair.getPrivate();
    }
}
