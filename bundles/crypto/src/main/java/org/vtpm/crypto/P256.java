package org.vtpm.crypto;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.AsymmetricCipherKeyPair;
import org.bouncycastle.crypto.agreement.ECDHBasicAgreement;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.generators.ECKeyPairGenerator;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECKeyGenerationParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.BigIntegers;

/** The elliptic curve P-256 (FIPS 186-5): a secret shared with the holder of a private key. */
public final class P256 {
    /** Length of a coordinate, and of a shared secret, in bytes. */
    public static final int LENGTH = 32;

    static final ECDomainParameters DOMAIN = domain();

    /**
     * A public key.
     *
     * @param x {@value P256#LENGTH} bytes, big-endian
     * @param y {@value P256#LENGTH} bytes, big-endian
     */
    public record Point(byte[] x, byte[] y) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Point point && Arrays.equals(x, point.x) && Arrays.equals(y, point.y);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(x) + Arrays.hashCode(y);
        }
    }

    /**
     * A new key pair's public half, and what it shares with the other side.
     *
     * @param secret x coordinate of the shared point, {@value P256#LENGTH} bytes; the caller zeroes it
     */
    public record Agreement(Point ephemeral, byte[] secret) {}

    private P256() {}

    /**
     * Elliptic-curve Diffie-Hellman with a key pair that is used this once.
     *
     * @throws IllegalArgumentException if the peer's point is not on the curve
     */
    public static Agreement agree(Point peer, SecureRandom random) {
        ECPublicKeyParameters theirs = parameters(peer);
        ECKeyPairGenerator generator = new ECKeyPairGenerator();
        generator.init(new ECKeyGenerationParameters(DOMAIN, random));
        AsymmetricCipherKeyPair ours = generator.generateKeyPair();
        ECDHBasicAgreement agreement = new ECDHBasicAgreement();
        agreement.init(ours.getPrivate());
        byte[] secret = BigIntegers.asUnsignedByteArray(LENGTH, agreement.calculateAgreement(theirs));
        return new Agreement(point((ECPublicKeyParameters) ours.getPublic()), secret);
    }

    static ECPublicKeyParameters parameters(Point point) {
        if (point.x().length != LENGTH || point.y().length != LENGTH) {
            throw new IllegalArgumentException("a coordinate on P-256 has " + LENGTH + " bytes");
        }
        // Checks that the point is on the curve.
        return new ECPublicKeyParameters(
                DOMAIN.getCurve().validatePoint(new BigInteger(1, point.x()), new BigInteger(1, point.y())), DOMAIN);
    }

    static Point point(ECPublicKeyParameters key) {
        ECPoint q = key.getQ().normalize();
        return new Point(q.getAffineXCoord().getEncoded(), q.getAffineYCoord().getEncoded());
    }

    private static ECDomainParameters domain() {
        X9ECParameters curve = CustomNamedCurves.getByName("secp256r1");
        return new ECDomainParameters(curve.getCurve(), curve.getG(), curve.getN(), curve.getH());
    }
}
