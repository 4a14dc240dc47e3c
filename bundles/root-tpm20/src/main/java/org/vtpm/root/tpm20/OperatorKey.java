package org.vtpm.root.tpm20;

import java.security.spec.InvalidKeySpecException;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.crypto.P256;
import org.vtpm.crypto.VerificationKey;

/** The public key that approves policies, as the TPM sees it. */
final class OperatorKey {
    /** The only exponent that a TPM 2.0 has to know, which a public area gives as zero. */
    private static final int USUAL_EXPONENT = 65537;

    private static final int ATTRIBUTES = Structures.SIGN | Structures.USER_WITH_AUTH;
    private static final byte[] NONE = {};

    private final VerificationKey key;
    private final byte[] publicArea;

    private OperatorKey(VerificationKey key, byte[] publicArea) {
        this.key = key;
        this.publicArea = publicArea;
    }

    /** Reads a SubjectPublicKeyInfo in DER. */
    static OperatorKey of(byte[] der) throws RootOfTrustException {
        try {
            VerificationKey key = VerificationKey.ofSubjectPublicKeyInfo(der);
            return new OperatorKey(key, publicArea(key));
        } catch (InvalidKeySpecException e) {
            throw new RootOfTrustException("the operator's key cannot be used: " + e.getMessage(), e);
        }
    }

    /** TPMT_PUBLIC, for TPM2_LoadExternal. */
    byte[] publicArea() {
        return publicArea;
    }

    byte[] name() {
        return Structures.name(publicArea);
    }

    /** Whether the key signed the message. */
    boolean verifies(byte[] message, byte[] signature) {
        return key.verifies(message, signature);
    }

    /** TPMT_SIGNATURE, for TPM2_VerifySignature. */
    byte[] tpmSignature(byte[] signature) throws RootOfTrustException {
        if (key instanceof VerificationKey.Rsa) {
            return Structures.encode(new Structures.RsassaSignature(Structures.ALG_SHA256, signature));
        }
        try {
            byte[][] numbers = VerificationKey.Ec.numbers(signature);
            return Structures.encode(new Structures.EcdsaSignature(Structures.ALG_SHA256, numbers[0], numbers[1]));
        } catch (IllegalArgumentException e) {
            throw new RootOfTrustException("the signature of a policy is no ECDSA signature in DER", e);
        }
    }

    private static byte[] publicArea(VerificationKey key) {
        if (key instanceof VerificationKey.Rsa rsa) {
            byte[] modulus = rsa.key().modulus();
            int exponent = rsa.key().exponent();
            return Structures.encode(new Structures.RsaSigningPublic(
                    Structures.ALG_SHA256,
                    ATTRIBUTES,
                    NONE,
                    Structures.ALG_NULL,
                    Structures.ALG_RSASSA,
                    Structures.ALG_SHA256,
                    Byte.SIZE * modulus.length,
                    exponent == USUAL_EXPONENT ? 0 : exponent,
                    modulus));
        }
        P256.Point point = ((VerificationKey.Ec) key).point();
        return Structures.encode(new Structures.EccSigningPublic(
                Structures.ALG_SHA256,
                ATTRIBUTES,
                NONE,
                Structures.ALG_NULL,
                Structures.ALG_ECDSA,
                Structures.ALG_SHA256,
                Structures.ECC_NIST_P256,
                Structures.ALG_NULL,
                point.x(),
                point.y()));
    }
}
