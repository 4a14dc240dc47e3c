package org.vtpm.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** Vectors: NIST SP 800-38A F.4.1 and F.5.1, McGrew and Viega's GCM test cases 15 and 16; SunJCE as a second opinion. */
class AesTest {
    private static final byte[] GCM_KEY = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    private static final byte[] GCM_NONCE = hex("cafebabefacedbaddecaf888");
    private static final byte[] GCM_AAD = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    private static final byte[] GCM_PLAINTEXT = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    private static final byte[] GCM_SEALED = hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" + "76fc6ece0f4e1768cddf8853bb2d551b");

    @Test
    void gcmSealsAndOpens() throws AuthenticationException {
        assertThat(AesGcm.seal(GCM_KEY, GCM_NONCE, GCM_AAD, GCM_PLAINTEXT)).isEqualTo(GCM_SEALED);
        assertThat(AesGcm.open(GCM_KEY, GCM_NONCE, GCM_AAD, GCM_SEALED)).isEqualTo(GCM_PLAINTEXT);
    }

    @Test
    void gcmSealsNothingButItsAad() throws AuthenticationException {
        byte[] tag = AesGcm.seal(GCM_KEY, GCM_NONCE, GCM_AAD, new byte[0]);
        assertThat(tag).hasSize(AesGcm.TAG_LENGTH);
        assertThat(AesGcm.open(GCM_KEY, GCM_NONCE, GCM_AAD, tag)).isEmpty();
    }

    @Test
    void gcmRefusesEveryFlippedBit() {
        for (int bit = 0; bit < GCM_SEALED.length * 8; bit++) {
            byte[] forged = GCM_SEALED.clone();
            forged[bit / 8] ^= (byte) (1 << bit % 8);
            assertThatThrownBy(() -> AesGcm.open(GCM_KEY, GCM_NONCE, GCM_AAD, forged))
                    .isInstanceOf(AuthenticationException.class);
        }
    }

    @Test
    void gcmRefusesOtherAadAndEveryCut() {
        assertThatThrownBy(() -> AesGcm.open(GCM_KEY, GCM_NONCE, new byte[0], GCM_SEALED))
                .isInstanceOf(AuthenticationException.class);
        for (int length = 0; length < GCM_SEALED.length; length++) {
            byte[] cut = Arrays.copyOf(GCM_SEALED, length);
            assertThatThrownBy(() -> AesGcm.open(GCM_KEY, GCM_NONCE, GCM_AAD, cut))
                    .isInstanceOf(AuthenticationException.class);
        }
    }

    @Test
    void gcmTakesOnly96BitNonces() {
        assertThatThrownBy(() -> AesGcm.seal(GCM_KEY, new byte[16], GCM_AAD, GCM_PLAINTEXT))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void ctr() {
        byte[] key = hex("2b7e151628aed2a6abf7158809cf4f3c");
        byte[] counter = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        byte[] plaintext = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        byte[] ciphertext = hex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
        assertThat(AesCtr.apply(key, counter, plaintext)).isEqualTo(ciphertext);
        assertThat(AesCtr.apply(key, counter, ciphertext)).isEqualTo(plaintext);
    }

    @Test
    void ctrCarriesThroughTheWholeCounter() throws GeneralSecurityException {
        byte[] key = hex("000102030405060708090a0b0c0d0e0f");
        for (String start : new String[] {"00ffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffff"}) {
            byte[] counter = hex(start);
            Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(counter));
            assertThat(AesCtr.apply(key, counter, new byte[53])).isEqualTo(cipher.doFinal(new byte[53]));
        }
    }

    @Test
    void ctrTakesOnlyAes128() {
        assertThatThrownBy(() -> AesCtr.apply(new byte[32], new byte[16], new byte[1]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> AesCtr.apply(new byte[16], new byte[12], new byte[1]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void ofb() {
        byte[] key = hex("2b7e151628aed2a6abf7158809cf4f3c");
        byte[] iv = hex("000102030405060708090a0b0c0d0e0f");
        byte[] plaintext = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        byte[] ciphertext = hex("3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825");
        assertThat(AesOfb.apply(key, iv, plaintext)).isEqualTo(ciphertext);
        assertThat(AesOfb.apply(key, iv, ciphertext)).isEqualTo(plaintext);
    }

    @Test
    void ofbEncryptsAnyLength() throws GeneralSecurityException {
        byte[] key = hex("000102030405060708090a0b0c0d0e0f");
        byte[] iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        for (int length : new int[] {0, 1, 16, 53}) {
            Cipher cipher = Cipher.getInstance("AES/OFB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
            assertThat(AesOfb.apply(key, iv, new byte[length])).isEqualTo(cipher.doFinal(new byte[length]));
        }
    }

    @Test
    void ofbTakesOnlyAes128() {
        assertThatThrownBy(() -> AesOfb.apply(new byte[32], new byte[16], new byte[1]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> AesOfb.apply(new byte[16], new byte[12], new byte[1]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void cfbEncryptsAnyLength() throws GeneralSecurityException {
        byte[] key = hex("000102030405060708090a0b0c0d0e0f");
        byte[] iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        for (int length : new int[] {0, 1, 15, 16, 17, 53}) {
            byte[] plaintext = Arrays.copyOf(GCM_PLAINTEXT, length);
            Cipher cipher = Cipher.getInstance("AES/CFB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
            byte[] ciphertext = AesCfb.encrypt(key, iv, plaintext);
            assertThat(ciphertext).isEqualTo(cipher.doFinal(plaintext));
            assertThat(AesCfb.decrypt(key, iv, ciphertext)).isEqualTo(plaintext);
        }
        assertThatThrownBy(() -> AesCfb.encrypt(key, new byte[12], key)).isInstanceOf(IllegalArgumentException.class);
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
