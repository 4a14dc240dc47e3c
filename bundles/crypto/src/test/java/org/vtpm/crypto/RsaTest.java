package org.vtpm.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.RSAPrivateCrtKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.junit.jupiter.api.Test;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.bignum.RsaCrtKey;
import org.vtpm.bignum.java.JavaBigNumberProvider;

/** SunJCE and SunRsaSign are on the other side of each exchange. */
class RsaTest {
    private static final BigNumberProvider NUMBERS = new JavaBigNumberProvider();
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] TCPA = "TCPA".getBytes(US_ASCII);
    private static final byte[] MESSAGE = "the owner's secret".getBytes(US_ASCII);

    private final Rsa rsa = new Rsa(() -> NUMBERS, RANDOM);
    private final RsaPrivateKey key = new RsaKeyGenerator(() -> NUMBERS, RANDOM).generate(1024);
    private final RsaPublicKey publicKey = key.publicKey();

    @Test
    void sunDecryptsOurOaep() throws Exception {
        for (byte[] message : new byte[][] {{}, MESSAGE, new byte[128 - 42]}) {
            assertThat(sunOaep(Cipher.DECRYPT_MODE).doFinal(rsa.encryptOaep(publicKey, TCPA, message)))
                    .isEqualTo(message);
        }
    }

    @Test
    void weDecryptSunsOaep() throws Exception {
        for (byte[] message : new byte[][] {{}, {0}, {1}, MESSAGE, new byte[128 - 42]}) {
            byte[] ciphertext = sunOaep(Cipher.ENCRYPT_MODE).doFinal(message);
            assertThat(rsa.decryptOaep(key, TCPA, ciphertext)).isEqualTo(message);
        }
    }

    @Test
    void oaepRefusesAnotherLabelAndWhatIsNoEncoding() throws Exception {
        byte[] ciphertext = rsa.encryptOaep(publicKey, TCPA, MESSAGE);
        byte[] forged = ciphertext.clone();
        forged[100] ^= 1;
        assertFails(() -> rsa.decryptOaep(key, new byte[0], ciphertext));
        assertFails(() -> rsa.decryptOaep(key, TCPA, forged));
        assertFails(() -> rsa.decryptOaep(key, TCPA, Arrays.copyOf(ciphertext, 127)));
        assertFails(() -> rsa.decryptOaep(key, TCPA, publicKey.modulus()));
        assertFails(() -> rsa.encryptOaep(publicKey, TCPA, new byte[128 - 41]));
    }

    @Test
    void oaepRefusesEachFlawInTheBlock() throws Exception {
        byte[] labelHash = Sha1.of(TCPA);
        byte[] seed = new byte[Sha1.LENGTH];
        byte[] good = OaepSha1.encode(MESSAGE, labelHash, seed, 127);
        assertThat(OaepSha1.unpad(padded(good), labelHash)).isEqualTo(MESSAGE);

        byte[] leadingByte = padded(good);
        leadingByte[0] = 1;
        assertFails(() -> OaepSha1.unpad(leadingByte, labelHash));
        // The label hash, a zero between it and the separator, the separator itself: each wrong once.
        for (int position : new int[] {20, 39, 40, 70, 127 - MESSAGE.length - 1}) {
            byte[] flawed = reencoded(good, position);
            assertFails(() -> OaepSha1.unpad(padded(flawed), labelHash));
        }
        byte[] noSeparator = OaepSha1.encode(new byte[0], labelHash, seed, 127);
        assertFails(() -> OaepSha1.unpad(padded(reencoded(noSeparator, 126)), labelHash));
        assertFails(() -> OaepSha1.unpad(new byte[41], labelHash));
    }

    @Test
    void oaepGivesBackSeedAndLabelHash() throws Exception {
        byte[] seed = HexFormat.of().parseHex("aafd12f659cae63489b479e5076ddec2f06cb58f");
        byte[] labelHash = Sha1.of(new byte[] {9});
        OaepSha1.Content content = OaepSha1.decode(OaepSha1.encode(MESSAGE, labelHash, seed, 198));
        assertThat(content.seed()).isEqualTo(seed);
        assertThat(content.labelHash()).isEqualTo(labelHash);
        assertThat(content.message()).isEqualTo(MESSAGE);
        assertFails(() -> OaepSha1.decode(new byte[198]));
        assertFails(() -> OaepSha1.decode(new byte[40]));
        content.destroy();
        assertThat(content.message()).containsOnly(0);
    }

    /** Example 1.1 of RSA Laboratories' oaep-vect.txt, up to the RSA operation. */
    @Test
    void oaepOfAPublishedExample() throws Exception {
        byte[] message = HexFormat.of().parseHex("6628194e12073db03ba94cda9ef9532397d50dba79b987004afefe34");
        byte[] seed = HexFormat.of().parseHex("18b776ea21069d69776a33e96bad48e1dda0a5ef");
        RsaPublicKey published = new RsaPublicKey(
                HexFormat.of()
                        .parseHex("a8b3b284af8eb50b387034a860f146c4919f318763cd6c5598c8ae4811a1e0abc4c7e0b082d693a5"
                                + "e7fced675cf4668512772c0cbc64a742c6c630f533c8cc72f62ae833c40bf25842e984bb78bdbf97"
                                + "c0107d55bdb662f5c4e0fab9845cb5148ef7392dd3aaff93ae1e6b667bb3d4247616d4f5ba10d4cf"
                                + "d226de88d39f16fb"),
                RsaPublicKey.F4);
        byte[] encoded = OaepSha1.encode(message, Sha1.of(), seed, 127);
        assertThat(rsa.publicOperation(published, padded(encoded)))
                .isEqualTo(HexFormat.of()
                        .parseHex("354fe67b4a126d5d35fe36c777791a3f7ba13def484e2d3908aff722fad468fb21696de95d0be911"
                                + "c2d3174f8afcc201035f7b6d8e69402de5451618c21a535fa9d7bfc5b8dd9fc243f8cf927db31322"
                                + "d6e881eaa91a996170e657a05a266426d98c88003f8477c1227094a0d9fa1e8c4024309ce1ecccb5"
                                + "210035d47ac72e8a"));
    }

    @Test
    void pkcs1EncryptionBothWays() throws Exception {
        for (byte[] message : new byte[][] {{}, MESSAGE, new byte[128 - 11]}) {
            assertThat(sun("RSA/ECB/PKCS1Padding", Cipher.DECRYPT_MODE).doFinal(rsa.encryptPkcs1(publicKey, message)))
                    .isEqualTo(message);
            byte[] ciphertext = sun("RSA/ECB/PKCS1Padding", Cipher.ENCRYPT_MODE).doFinal(message);
            assertThat(rsa.decryptPkcs1(key, ciphertext)).isEqualTo(message);
        }
        assertFails(() -> rsa.encryptPkcs1(publicKey, new byte[128 - 10]));
    }

    @Test
    void pkcs1RefusesEachFlawInTheBlock() throws Exception {
        byte[] good = Pkcs1Padding.forEncryption(MESSAGE, 64, RANDOM);
        assertThat(Pkcs1Padding.messageOf(good)).isEqualTo(MESSAGE);
        byte[] leadingByte = good.clone();
        leadingByte[0] = 1;
        byte[] type = good.clone();
        type[1] = 1;
        byte[] shortPadding = good.clone();
        shortPadding[9] = 0;
        byte[] noSeparator = new byte[64];
        Arrays.fill(noSeparator, 2, 64, (byte) 7);
        noSeparator[1] = 2;
        for (byte[] flawed : new byte[][] {leadingByte, type, shortPadding, noSeparator, new byte[64], new byte[10]}) {
            assertFails(() -> Pkcs1Padding.messageOf(flawed));
        }
    }

    @Test
    void signaturesBothWays() throws Exception {
        byte[] ours = rsa.signSha1(key, Sha1.of(MESSAGE));
        Signature verifier = Signature.getInstance("SHA1withRSA");
        verifier.initVerify(sunPublicKey());
        verifier.update(MESSAGE);
        assertThat(verifier.verify(ours)).isTrue();
        assertThat(rsa.verifySha1(publicKey, Sha1.of(MESSAGE), ours)).isTrue();

        byte[] forged = ours.clone();
        forged[64] ^= 1;
        assertThat(rsa.verifySha1(publicKey, Sha1.of(MESSAGE), forged)).isFalse();
        assertThat(rsa.verifySha1(publicKey, Sha1.of(TCPA), ours)).isFalse();
        assertThat(rsa.verifySha1(publicKey, Sha1.of(MESSAGE), new byte[0])).isFalse();
        assertThat(rsa.verifySha1(publicKey, Sha1.of(MESSAGE), publicKey.modulus()))
                .isFalse();
    }

    @Test
    void rawSignatures() throws Exception {
        byte[] signature = rsa.signRaw(key, MESSAGE);
        assertThat(sun("RSA/ECB/PKCS1Padding", Cipher.DECRYPT_MODE, sunPublicKey())
                        .doFinal(signature))
                .isEqualTo(MESSAGE);
        assertFails(() -> rsa.signRaw(key, new byte[128 - 10]));
    }

    @Test
    void aMiscalculationNeverLeaves() {
        Rsa faulty = new Rsa(() -> new FaultyProvider(NUMBERS), RANDOM);
        assertThatThrownBy(() -> faulty.signRaw(key, MESSAGE))
                .isInstanceOf(RsaException.class)
                .hasMessageContaining("failed its verification");
    }

    /** One CRT half of each private operation is wrong, as a flipped bit in hardware would make it. */
    private record FaultyProvider(BigNumberProvider sound) implements BigNumberProvider {
        @Override
        public String name() {
            return "faulty";
        }

        @Override
        public byte[] modPow(byte[] base, byte[] exponent, byte[] modulus) {
            return sound.modPow(base, exponent, modulus);
        }

        @Override
        public byte[] modPowSecret(byte[] base, byte[] exponent, byte[] modulus) {
            return sound.modPowSecret(base, exponent, modulus);
        }

        @Override
        public byte[] rsaPrivate(byte[] input, RsaCrtKey key) {
            byte[] dp = key.dp().clone();
            dp[dp.length - 1] ^= 2;
            return sound.rsaPrivate(input, new RsaCrtKey(key.p(), key.q(), dp, key.dq(), key.qInv()));
        }

        @Override
        public byte[] nextPrime(byte[] start) {
            return sound.nextPrime(start);
        }
    }

    private interface Operation {
        Object run() throws RsaException;
    }

    private static void assertFails(Operation operation) {
        assertThatThrownBy(operation::run).isInstanceOf(RsaException.class);
    }

    private static byte[] padded(byte[] encoded) {
        byte[] padded = new byte[encoded.length + 1];
        System.arraycopy(encoded, 0, padded, 1, encoded.length);
        return padded;
    }

    /** The encoding with one bit of its data block changed; the seed is zero. */
    private static byte[] reencoded(byte[] encoded, int position) {
        byte[] block = Arrays.copyOfRange(encoded, Sha1.LENGTH, encoded.length);
        xor(block, Mgf1.sha1(new byte[Sha1.LENGTH], block.length));
        block[position - Sha1.LENGTH] ^= 2;
        xor(block, Mgf1.sha1(new byte[Sha1.LENGTH], block.length));
        byte[] changed = Arrays.copyOf(Mgf1.sha1(block, Sha1.LENGTH), encoded.length);
        System.arraycopy(block, 0, changed, Sha1.LENGTH, block.length);
        return changed;
    }

    private static void xor(byte[] data, byte[] mask) {
        for (int i = 0; i < data.length; i++) {
            data[i] ^= mask[i];
        }
    }

    private Cipher sunOaep(int mode) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
        OAEPParameterSpec spec =
                new OAEPParameterSpec("SHA-1", "MGF1", MGF1ParameterSpec.SHA1, new PSource.PSpecified(TCPA));
        cipher.init(mode, mode == Cipher.ENCRYPT_MODE ? sunPublicKey() : sunPrivateKey(), spec);
        return cipher;
    }

    private Cipher sun(String transformation, int mode) throws GeneralSecurityException {
        return sun(transformation, mode, mode == Cipher.ENCRYPT_MODE ? sunPublicKey() : sunPrivateKey());
    }

    private static Cipher sun(String transformation, int mode, Key key) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(transformation);
        cipher.init(mode, key);
        return cipher;
    }

    private PublicKey sunPublicKey() throws GeneralSecurityException {
        return KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(
                        new BigInteger(1, publicKey.modulus()), BigInteger.valueOf(publicKey.exponent())));
    }

    private PrivateKey sunPrivateKey() throws GeneralSecurityException {
        BigInteger p = new BigInteger(1, key.crt().p());
        BigInteger q = new BigInteger(1, key.crt().q());
        BigInteger e = BigInteger.valueOf(publicKey.exponent());
        BigInteger phi = p.subtract(BigInteger.ONE).multiply(q.subtract(BigInteger.ONE));
        return KeyFactory.getInstance("RSA")
                .generatePrivate(new RSAPrivateCrtKeySpec(
                        p.multiply(q),
                        e,
                        e.modInverse(phi),
                        p,
                        q,
                        new BigInteger(1, key.crt().dp()),
                        new BigInteger(1, key.crt().dq()),
                        new BigInteger(1, key.crt().qInv())));
    }
}
