package org.vtpm.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import javax.crypto.KeyAgreement;
import org.bouncycastle.util.BigIntegers;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** Against the JDK's elliptic curves. */
class P256Test {
    @RepeatedTest(20)
    void bothSidesShareOneSecret() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair pair = generator.generateKeyPair();
        P256.Agreement ours = P256.agree(point((ECPublicKey) pair.getPublic()), new SecureRandom());

        KeyAgreement theirs = KeyAgreement.getInstance("ECDH");
        theirs.init(pair.getPrivate());
        theirs.doPhase(KeyFactory.getInstance("EC").generatePublic(spec(ours.ephemeral())), true);
        assertThat(ours.secret()).isEqualTo(theirs.generateSecret()).hasSize(P256.LENGTH);
    }

    @Test
    void aPointOffTheCurveIsRefused() {
        byte[] x = new byte[P256.LENGTH];
        x[0] = 1;
        assertThatThrownBy(() -> P256.agree(new P256.Point(x, x), new SecureRandom()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> P256.agree(new P256.Point(new byte[31], x), new SecureRandom()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> P256.agree(new P256.Point(new byte[32], new byte[32]), new SecureRandom()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    static P256.Point point(ECPublicKey key) {
        return new P256.Point(
                BigIntegers.asUnsignedByteArray(P256.LENGTH, key.getW().getAffineX()),
                BigIntegers.asUnsignedByteArray(P256.LENGTH, key.getW().getAffineY()));
    }

    private static ECPublicKeySpec spec(P256.Point point) throws Exception {
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp256r1"));
        return new ECPublicKeySpec(
                new ECPoint(new BigInteger(1, point.x()), new BigInteger(1, point.y())),
                parameters.getParameterSpec(ECParameterSpec.class));
    }
}
