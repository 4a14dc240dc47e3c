package org.vtpm.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.bouncycastle.util.BigIntegers;
import org.junit.jupiter.api.Test;

/** Against keys and signatures of the JDK. */
class VerificationKeyTest {
    private static final byte[] MESSAGE = "what is signed".getBytes(UTF_8);

    @Test
    void anRsaKeyVerifies() throws Exception {
        KeyPair pair = pair("RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4));
        VerificationKey key =
                VerificationKey.ofSubjectPublicKeyInfo(pair.getPublic().getEncoded());
        RSAPublicKey expected = (RSAPublicKey) pair.getPublic();
        assertThat(key)
                .isEqualTo(new VerificationKey.Rsa(
                        new RsaPublicKey(BigIntegers.asUnsignedByteArray(expected.getModulus()), 65537)));
        verifiesNothingElse(key, sign("SHA256withRSA", pair));
        assertThat(key.verifies(MESSAGE, sign("SHA1withRSA", pair))).isFalse();
    }

    @Test
    void anEcKeyVerifies() throws Exception {
        KeyPair pair = pair("EC", new ECGenParameterSpec("secp256r1"));
        VerificationKey key =
                VerificationKey.ofSubjectPublicKeyInfo(pair.getPublic().getEncoded());
        assertThat(key).isEqualTo(new VerificationKey.Ec(P256Test.point((ECPublicKey) pair.getPublic())));
        byte[] signature = sign("SHA256withECDSA", pair);
        verifiesNothingElse(key, signature);

        byte[][] numbers = VerificationKey.Ec.numbers(signature);
        byte[] plain = Arrays.copyOf(numbers[0], 64);
        System.arraycopy(numbers[1], 0, plain, 32, 32);
        Signature jdk = Signature.getInstance("SHA256withECDSAinP1363Format");
        jdk.initVerify(pair.getPublic());
        jdk.update(MESSAGE);
        assertThat(jdk.verify(plain)).isTrue();
        assertThatThrownBy(() -> VerificationKey.Ec.numbers(new byte[70])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void otherKeysAreRefused() throws Exception {
        byte[] weak = pair("RSA", new RSAKeyGenParameterSpec(1024, RSAKeyGenParameterSpec.F4))
                .getPublic()
                .getEncoded();
        assertThatThrownBy(() -> VerificationKey.ofSubjectPublicKeyInfo(weak))
                .isInstanceOf(InvalidKeySpecException.class)
                .hasMessageContaining("1024 bits");
        for (String curve : new String[] {"secp384r1", "secp521r1"}) {
            byte[] other = pair("EC", new ECGenParameterSpec(curve)).getPublic().getEncoded();
            assertThatThrownBy(() -> VerificationKey.ofSubjectPublicKeyInfo(other))
                    .isInstanceOf(InvalidKeySpecException.class)
                    .hasMessageContaining("P-256");
        }
        byte[] edwards = KeyPairGenerator.getInstance("Ed25519")
                .generateKeyPair()
                .getPublic()
                .getEncoded();
        assertThatThrownBy(() -> VerificationKey.ofSubjectPublicKeyInfo(edwards))
                .isInstanceOf(InvalidKeySpecException.class);
    }

    @Test
    void whatIsNoKeyIsRefused() throws Exception {
        byte[] key = pair("EC", new ECGenParameterSpec("secp256r1")).getPublic().getEncoded();
        for (int length = 0; length < key.length; length++) {
            byte[] cut = Arrays.copyOf(key, length);
            assertThatThrownBy(() -> VerificationKey.ofSubjectPublicKeyInfo(cut))
                    .isInstanceOf(InvalidKeySpecException.class);
        }
        byte[] more = Arrays.copyOf(key, key.length + 1);
        assertThatThrownBy(() -> VerificationKey.ofSubjectPublicKeyInfo(more))
                .isInstanceOf(InvalidKeySpecException.class);
        assertThatThrownBy(() ->
                        VerificationKey.ofSubjectPublicKeyInfo(HexFormat.of().parseHex("3003020101")))
                .isInstanceOf(InvalidKeySpecException.class);
        byte[] offCurve = key.clone();
        offCurve[offCurve.length - 1] ^= 1;
        assertThatThrownBy(() -> VerificationKey.ofSubjectPublicKeyInfo(offCurve))
                .isInstanceOf(InvalidKeySpecException.class);
    }

    private static void verifiesNothingElse(VerificationKey key, byte[] signature) {
        assertThat(key.verifies(MESSAGE, signature)).isTrue();
        assertThat(key.verifies("another".getBytes(UTF_8), signature)).isFalse();
        for (int i = 0; i < signature.length; i++) {
            byte[] changed = signature.clone();
            changed[i] ^= 1;
            assertThat(key.verifies(MESSAGE, changed)).as("byte " + i).isFalse();
        }
        assertThat(key.verifies(MESSAGE, Arrays.copyOf(signature, signature.length + 1)))
                .isFalse();
        assertThat(key.verifies(MESSAGE, Arrays.copyOf(signature, signature.length - 1)))
                .isFalse();
        assertThat(key.verifies(MESSAGE, new byte[0])).isFalse();
    }

    private static KeyPair pair(String algorithm, AlgorithmParameterSpec spec) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(spec);
        return generator.generateKeyPair();
    }

    private static byte[] sign(String algorithm, KeyPair pair) throws Exception {
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(pair.getPrivate());
        signature.update(MESSAGE);
        return signature.sign();
    }
}
