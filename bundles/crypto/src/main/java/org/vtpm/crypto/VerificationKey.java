package org.vtpm.crypto;

import java.io.IOException;
import java.math.BigInteger;
import java.security.spec.InvalidKeySpecException;
import java.util.Arrays;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.RSAKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.RSADigestSigner;
import org.bouncycastle.crypto.signers.StandardDSAEncoding;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.crypto.util.SubjectPublicKeyInfoFactory;
import org.bouncycastle.util.BigIntegers;

/**
 * A public key that signatures with SHA-256 are verified with: RSASSA-PKCS1-v1_5 (RFC 8017) or ECDSA on P-256 (FIPS 186-5),
 * as {@code openssl dgst -sha256 -sign} makes them.
 */
public sealed interface VerificationKey {
    /** An RSA key of 2048 to 4096 bits. */
    record Rsa(RsaPublicKey key) implements VerificationKey {
        @Override
        public boolean verifies(byte[] message, byte[] signature) {
            RSADigestSigner signer = new RSADigestSigner(new SHA256Digest());
            signer.init(
                    false,
                    new RSAKeyParameters(false, new BigInteger(1, key.modulus()), BigInteger.valueOf(key.exponent())));
            signer.update(message, 0, message.length);
            return signature.length == key.length() && signer.verifySignature(signature);
        }
    }

    /** An EC key on P-256. */
    record Ec(P256.Point point) implements VerificationKey {
        @Override
        public boolean verifies(byte[] message, byte[] signature) {
            try {
                BigInteger[] rs = decode(signature);
                ECDSASigner signer = new ECDSASigner();
                signer.init(false, P256.parameters(point));
                return signer.verifySignature(Sha256.of(message), rs[0], rs[1]);
            } catch (IllegalArgumentException e) {
                return false;
            }
        }

        /**
         * The two numbers of a signature, r before s, {@value P256#LENGTH} bytes each.
         *
         * @param signature DER
         * @throws IllegalArgumentException if it is none
         */
        public static byte[][] numbers(byte[] signature) {
            BigInteger[] rs = decode(signature);
            return new byte[][] {
                BigIntegers.asUnsignedByteArray(P256.LENGTH, rs[0]), BigIntegers.asUnsignedByteArray(P256.LENGTH, rs[1])
            };
        }

        private static BigInteger[] decode(byte[] signature) {
            try {
                return StandardDSAEncoding.INSTANCE.decode(P256.DOMAIN.getN(), signature);
            } catch (IOException | RuntimeException e) {
                throw new IllegalArgumentException("no ECDSA signature in DER", e);
            }
        }
    }

    /** The shortest RSA key in bits that signatures are believed of. */
    int SHORTEST_RSA = 2048;

    /** The longest RSA key in bits. */
    int LONGEST_RSA = 4096;

    /**
     * Whether the signature is one over the message by this key.
     *
     * @param message what was hashed and signed
     * @param signature as long as the modulus, or DER for ECDSA
     */
    boolean verifies(byte[] message, byte[] signature);

    /**
     * Reads a public key.
     *
     * @param der SubjectPublicKeyInfo (RFC 5280, RFC 5480), and nothing behind it
     * @throws InvalidKeySpecException if it is none, or of another kind or size; the message is for the operator
     */
    static VerificationKey ofSubjectPublicKeyInfo(byte[] der) throws InvalidKeySpecException {
        AsymmetricKeyParameter key;
        try {
            key = PublicKeyFactory.createKey(der);
            // What decodes but is not the encoding of that could be told apart by others.
            if (!Arrays.equals(
                    der,
                    SubjectPublicKeyInfoFactory.createSubjectPublicKeyInfo(key).getEncoded("DER"))) {
                throw new InvalidKeySpecException(
                        "the public key is not in DER: openssl pkey -pubout -outform der writes it");
            }
        } catch (IOException | RuntimeException e) {
            throw new InvalidKeySpecException(
                    "no public key (SubjectPublicKeyInfo in DER): openssl pkey -pubout -outform der writes one", e);
        }
        if (key instanceof RSAKeyParameters rsa) {
            int bits = rsa.getModulus().bitLength();
            if (bits < SHORTEST_RSA || bits > LONGEST_RSA || bits % Byte.SIZE != 0) {
                throw new InvalidKeySpecException("an RSA key of " + bits + " bits: use one of 2048 to 4096");
            }
            if (rsa.getExponent().bitLength() > Integer.SIZE - 1) {
                throw new InvalidKeySpecException("an RSA key whose exponent does not fit 31 bits: use 65537");
            }
            return new Rsa(new RsaPublicKey(
                    BigIntegers.asUnsignedByteArray(rsa.getModulus()),
                    rsa.getExponent().intValueExact()));
        }
        if (key instanceof ECPublicKeyParameters ec && ec.getParameters().equals(P256.DOMAIN)) {
            return new Ec(P256.point(ec));
        }
        throw new InvalidKeySpecException("a public key of another kind: use RSA of 2048 bits or more, or EC on P-256");
    }
}
