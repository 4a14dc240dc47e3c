package org.vtpm.shell;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/** An X.509 certificate as operators see it. */
final class Certificate {
    /** What an operator gives for a file to have the PEM printed. */
    static final String STANDARD_OUTPUT = "-";

    private static final Set<OpenOption> WRITE = Set.of(
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            LinkOption.NOFOLLOW_LINKS);

    private final X509Certificate certificate;
    private final byte[] der;

    private Certificate(X509Certificate certificate, byte[] der) {
        this.certificate = certificate;
        this.der = der;
    }

    /**
     * Reads a certificate, which may come from a guest.
     *
     * @throws CertificateException if it is anything else
     */
    static Certificate parse(byte[] der) throws CertificateException {
        ByteArrayInputStream in = new ByteArrayInputStream(der);
        X509Certificate parsed =
                (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        if (!Arrays.equals(parsed.getEncoded(), der)) {
            throw new CertificateException("there are bytes besides the certificate");
        }
        return new Certificate(parsed, der);
    }

    /** SHA-256 in hexadecimal. */
    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    /** The serial number in hexadecimal. */
    String serial() {
        return certificate.getSerialNumber().toString(16);
    }

    String subject() {
        return printable(certificate.getSubjectX500Principal().getName());
    }

    String issuer() {
        return printable(certificate.getIssuerX500Principal().getName());
    }

    /** A guest may have chosen the name: no terminal shall carry out what is in it. */
    private static String printable(String name) {
        return name.replaceAll("\\p{C}", "?");
    }

    String validity() {
        return certificate.getNotBefore().toInstant() + " to "
                + certificate.getNotAfter().toInstant();
    }

    /** SHA-256 of the whole certificate. */
    String fingerprint() {
        return sha256(der);
    }

    /** Whether it is for this key, a SubjectPublicKeyInfo. */
    boolean isFor(byte[] publicKey) {
        return Arrays.equals(certificate.getPublicKey().getEncoded(), publicKey);
    }

    Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("serial", serial());
        members.put("issuer", issuer());
        members.put("notBefore", certificate.getNotBefore().toInstant().toString());
        members.put("notAfter", certificate.getNotAfter().toInstant().toString());
        members.put("sha256", fingerprint());
        return members;
    }

    /**
     * Writes the PEM (RFC 7468) to a file, or prints it.
     *
     * @param what names it to the operator
     * @param target a file, which is replaced, or {@value #STANDARD_OUTPUT}
     */
    void write(String what, String target) throws CommandException {
        String pem = Pem.text("CERTIFICATE", der);
        if (target.equals(STANDARD_OUTPUT)) {
            System.out.print(pem);
            return;
        }
        Path file = HostFile.named(target);
        try (FileChannel channel = FileChannel.open(file, WRITE)) {
            Channels.newOutputStream(channel).write(pem.getBytes(US_ASCII));
        } catch (IOException e) {
            throw new CommandException(what + " cannot be written to " + file + ": " + e, e);
        }
        System.out.println(what + " written to " + file);
    }
}
