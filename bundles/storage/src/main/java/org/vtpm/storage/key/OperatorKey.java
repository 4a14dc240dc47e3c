package org.vtpm.storage.key;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;

/** The public key that an operator signs with: RSA of 2048 bits or more, or EC on a curve of 256 bits. */
public final class OperatorKey {
    private static final int RSA_BITS = 2048;
    private static final int EC_BITS = 256;

    private final PublicKey key;
    private final String algorithm;

    private OperatorKey(PublicKey key, String algorithm) {
        this.key = key;
        this.algorithm = algorithm;
    }

    /**
     * Reads a key.
     *
     * @param subjectPublicKeyInfo in DER
     * @throws IllegalArgumentException if it is none of these
     */
    public static OperatorKey of(byte[] subjectPublicKeyInfo) {
        X509EncodedKeySpec encoded = new X509EncodedKeySpec(subjectPublicKeyInfo);
        try {
            if (KeyFactory.getInstance("RSA").generatePublic(encoded) instanceof RSAPublicKey rsa
                    && rsa.getModulus().bitLength() >= RSA_BITS) {
                return new OperatorKey(rsa, "SHA256withRSA");
            }
        } catch (GeneralSecurityException notRsa) {
            // An EC key, perhaps.
        }
        try {
            if (KeyFactory.getInstance("EC").generatePublic(encoded) instanceof ECPublicKey ec
                    && ec.getParams().getCurve().getField().getFieldSize() == EC_BITS) {
                return new OperatorKey(ec, "SHA256withECDSA");
            }
        } catch (GeneralSecurityException notEc) {
            // Neither.
        }
        throw new IllegalArgumentException("not a public key of RSA with 2048 bits or more, or of EC on P-256");
    }

    /** Whether a signature over the SHA-256 digest of a message is this key's: RSASSA-PKCS1-v1_5, or ECDSA in DER. */
    public boolean verifies(byte[] message, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(key);
            verifier.update(message);
            return verifier.verify(signature);
        } catch (GeneralSecurityException malformed) {
            return false;
        }
    }
}
