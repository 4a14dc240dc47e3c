package org.vtpm.shell;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.KeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/**
 * The key with which an operator approves of things, RSA or EC, from PEM files as OpenSSL writes them. Which of them are
 * strong enough is said by who checks the signatures.
 */
final class OperatorKey {
    private static final List<String> ALGORITHMS = List.of("RSA", "EC");

    private OperatorKey() {}

    /** Reads the public half: a DER SubjectPublicKeyInfo. */
    static byte[] readPublic(Path file) throws CommandException {
        Pem pem = Pem.read(file);
        try {
            if (!pem.label().equals("PUBLIC KEY")) {
                throw new CommandException(file + " has no public key, but a " + pem.label() + "; make one of it: "
                        + (pem.label().endsWith("CERTIFICATE")
                                ? "openssl x509 -pubkey -noout -in " + Words.quoted(file) + " > public.pem"
                                : pem.label().equals("RSA PUBLIC KEY")
                                        ? "openssl rsa -RSAPublicKey_in -in " + Words.quoted(file)
                                                + " -pubout -out public.pem"
                                        : "openssl pkey -in " + Words.quoted(file) + " -pubout -out public.pem"));
            }
            return key(file, new X509EncodedKeySpec(pem.der()), KeyFactory::generatePublic)
                    .getEncoded();
        } finally {
            Arrays.fill(pem.der(), (byte) 0);
        }
    }

    /**
     * Reads a private key that lies open on this host. What was read is zeroed, but for the copies that Java's own classes
     * make and let nobody erase.
     */
    static Private readPrivate(Path file) throws CommandException {
        Pem pem = Pem.read(file);
        try {
            switch (pem.label()) {
                case "PRIVATE KEY" -> {}
                case "ENCRYPTED PRIVATE KEY" ->
                    throw new CommandException(
                            file + " is encrypted, and nobody is asked for its pass phrase here. Sign"
                                    + " with openssl (--out, then --signature), or take a copy that is not encrypted: openssl"
                                    + " pkey -in " + Words.quoted(file) + " -out plain.pem");
                case "RSA PRIVATE KEY", "EC PRIVATE KEY" ->
                    throw new CommandException(file + " has a key in an older form; rewrite it: openssl pkcs8 -topk8"
                            + " -nocrypt -in " + Words.quoted(file) + " -out new.pem");
                default -> throw new CommandException(file + " has no private key, but a " + pem.label());
            }
            PrivateKey key = key(file, new PKCS8EncodedKeySpec(pem.der()), KeyFactory::generatePrivate);
            return new Private(key, publicHalf(key, pem.der()));
        } finally {
            Arrays.fill(pem.der(), (byte) 0);
        }
    }

    /** What a key factory makes a key with. */
    @FunctionalInterface
    private interface Making<K> {
        K make(KeyFactory factory, KeySpec spec) throws InvalidKeySpecException;
    }

    private static <K> K key(Path file, KeySpec spec, Making<K> making) throws CommandException {
        InvalidKeySpecException unfit = null;
        for (String algorithm : ALGORITHMS) {
            try {
                return making.make(KeyFactory.getInstance(algorithm), spec);
            } catch (InvalidKeySpecException e) {
                unfit = e;
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("this Java has no " + algorithm, e);
            }
        }
        throw new CommandException(file + " has neither an RSA key nor an EC key on a curve that Java knows", unfit);
    }

    /** The public half as SubjectPublicKeyInfo; null if the file does not tell it. */
    private static byte @Nullable [] publicHalf(PrivateKey key, byte[] pkcs8) throws CommandException {
        try {
            if (key instanceof RSAPrivateCrtKey rsa) {
                return KeyFactory.getInstance("RSA")
                        .generatePublic(new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent()))
                        .getEncoded();
            }
            return EcPublicHalf.of(pkcs8).orElse(null);
        } catch (GeneralSecurityException e) {
            throw new CommandException("The key's public half cannot be used: " + e.getMessage(), e);
        }
    }

    /** A private key that signs. */
    static final class Private {
        private final PrivateKey key;
        private final byte @Nullable [] publicHalf;

        private Private(PrivateKey key, byte @Nullable [] publicHalf) {
            this.key = key;
            this.publicHalf = publicHalf;
        }

        /** A DER SubjectPublicKeyInfo; nothing if its file did not tell it. */
        Optional<byte[]> publicHalf() {
            return Optional.ofNullable(publicHalf);
        }

        /** SHA-256 with RSASSA-PKCS1-v1_5, or ECDSA as DER. */
        byte[] sign(byte[] octets) throws CommandException {
            try {
                Signature signature = signature(key.getAlgorithm());
                signature.initSign(key);
                signature.update(octets);
                return signature.sign();
            } catch (GeneralSecurityException e) {
                throw new CommandException("The operator's key does not sign: " + e.getMessage(), e);
            }
        }

        /** Whether a public key, a DER SubjectPublicKeyInfo, is this one's other half. */
        boolean isFor(byte[] publicKey) throws CommandException {
            byte[] probe = {0};
            try {
                PublicKey other =
                        KeyFactory.getInstance(key.getAlgorithm()).generatePublic(new X509EncodedKeySpec(publicKey));
                Signature signature = signature(key.getAlgorithm());
                signature.initVerify(other);
                signature.update(probe);
                return signature.verify(sign(probe));
            } catch (GeneralSecurityException e) {
                return false;
            }
        }

        private static Signature signature(String algorithm) throws NoSuchAlgorithmException {
            return Signature.getInstance(algorithm.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA");
        }
    }
}
