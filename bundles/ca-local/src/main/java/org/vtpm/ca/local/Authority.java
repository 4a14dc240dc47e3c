package org.vtpm.ca.local;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.vtpm.api.engine.TpmModel;

/**
 * A certification authority with its key in memory; whoever has it closes it.
 *
 * @param key the DER of a PKCS#8 PrivateKeyInfo
 * @param certificate of the key, signed by itself
 */
record Authority(byte[] key, X509CertificateHolder certificate) implements AutoCloseable {
    private static final String ALGORITHM = "RSA";
    private static final int KEY_BITS = 3072;
    private static final String SIGNATURE = "SHA256withRSA";
    private static final int SERIAL_BITS = 127;

    /** A certificate with this end never ends (RFC 5280, section 4.1.2.5). */
    private static final Instant NO_END = Instant.parse("9999-12-31T23:59:59Z");

    /**
     * Makes a key and a certificate for it.
     *
     * @param days for which the certificate is valid; 0 for no end
     */
    static Authority make(X500Name subject, Instant now, int days) throws IOException {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(ALGORITHM);
            generator.initialize(KEY_BITS);
            KeyPair pair = generator.generateKeyPair();
            SubjectPublicKeyInfo publicKey =
                    SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded());
            X509v3CertificateBuilder builder = builder(subject, now, end(now, days), subject, publicKey);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(publicKey));
            return new Authority(pair.getPrivate().getEncoded(), sign(builder, pair.getPrivate()));
        } catch (GeneralSecurityException e) {
            throw new IOException("no key for it could be made: " + e.getMessage(), e);
        }
    }

    /**
     * Whether the certificate is one of the key.
     *
     * @throws IOException if the key is none
     */
    boolean isConsistent() throws IOException {
        try {
            if (!(privateKey() instanceof RSAPrivateCrtKey rsa)) {
                throw new IOException("its key cannot be used: it is no RSA key with all its numbers");
            }
            PublicKey belonging = KeyFactory.getInstance(ALGORITHM)
                    .generatePublic(new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent()));
            return Arrays.equals(
                    belonging.getEncoded(),
                    certificate.getSubjectPublicKeyInfo().getEncoded());
        } catch (GeneralSecurityException e) {
            throw unusable(e);
        }
    }

    /**
     * Issues an endorsement credential.
     *
     * @param publicKey the DER of an X.509 SubjectPublicKeyInfo
     * @param days for which it is valid, but not longer than the authority itself; 0 for as long
     */
    X509CertificateHolder issue(byte[] publicKey, TpmModel model, Instant now, int days) throws IOException {
        Instant last = certificate.getNotAfter().toInstant();
        if (now.isAfter(last)) {
            throw new IOException("its certificate was valid until " + last);
        }
        Instant end = end(now, days);
        X509v3CertificateBuilder builder = builder(
                certificate.getSubject(),
                now,
                end.isBefore(last) ? end : last,
                EndorsementProfile.NO_SUBJECT,
                SubjectPublicKeyInfo.getInstance(publicKey));
        EndorsementProfile.apply(builder, model);
        byte[] identifier =
                SubjectKeyIdentifier.fromExtensions(certificate.getExtensions()).getKeyIdentifier();
        builder.addExtension(Extension.authorityKeyIdentifier, false, new AuthorityKeyIdentifier(identifier));
        try {
            return sign(builder, privateKey());
        } catch (GeneralSecurityException e) {
            throw unusable(e);
        }
    }

    private PrivateKey privateKey() throws GeneralSecurityException {
        return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(key));
    }

    private static IOException unusable(GeneralSecurityException e) {
        return new IOException("its key cannot be used: " + e.getMessage(), e);
    }

    private static X509v3CertificateBuilder builder(
            X500Name issuer, Instant start, Instant end, X500Name subject, SubjectPublicKeyInfo publicKey) {
        // Random, so that numbers need not be remembered to be unique.
        BigInteger serial = new BigInteger(SERIAL_BITS, new SecureRandom()).max(BigInteger.ONE);
        return new X509v3CertificateBuilder(issuer, serial, Date.from(start), Date.from(end), subject, publicKey);
    }

    private static Instant end(Instant start, int days) {
        return days == 0 ? NO_END : start.plus(days, ChronoUnit.DAYS);
    }

    private static X509CertificateHolder sign(X509v3CertificateBuilder builder, PrivateKey key) throws IOException {
        try {
            return builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key));
        } catch (OperatorCreationException e) {
            throw new IOException("its key cannot sign: " + e.getMessage(), e);
        }
    }

    /** Zeroes the key. */
    @Override
    public void close() {
        Arrays.fill(key, (byte) 0);
    }

    /** Names nothing of the key. */
    @Override
    public String toString() {
        return "Authority[" + certificate.getSubject() + "]";
    }
}
