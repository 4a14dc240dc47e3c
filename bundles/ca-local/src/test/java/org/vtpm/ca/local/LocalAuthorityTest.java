package org.vtpm.ca.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.x500.X500Name;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.endorsement.EndorsementException;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.engine.TpmModel;

class LocalAuthorityTest {
    private static final Instant NOW = Instant.parse("2026-11-27T12:00:00Z");
    private static final X500Name SUBJECT = new X500Name("CN=Test CA,O=Host 1");

    /** What swtpm 0.7.1 says of itself: swtpm_setup's certificate has the octets that the test expects. */
    private static final TpmModel SWTPM = new TpmModel(0x1014, "swtpm", 0x0074_0001, TpmFamily.TPM_1_2, 2, 116);

    private static KeyPair key;

    @TempDir
    private Path temporary;

    @BeforeAll
    static void makeKey() throws Exception {
        key = KeyPairGenerator.getInstance("RSA").generateKeyPair();
    }

    private LocalAuthority authority(int days, Instant now) {
        return new LocalAuthority(
                new AuthorityFolder(temporary.resolve("data/ca")),
                true,
                SUBJECT,
                days,
                Clock.fixed(now, ZoneOffset.UTC));
    }

    private static X509Certificate parse(byte[] der) throws Exception {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    private static byte[] publicKey() {
        return key.getPublic().getEncoded();
    }

    @Test
    void credentialsSayWhatSwtpmSetupsSay() throws Exception {
        LocalAuthority authority = authority(0, NOW);
        X509Certificate credential = parse(authority.certify(publicKey(), SWTPM));

        assertThat(credential.getVersion()).isEqualTo(3);
        assertThat(credential.getSubjectX500Principal().getEncoded()).isEqualTo(new byte[] {0x30, 0});
        assertThat(credential.getPublicKey()).isEqualTo(key.getPublic());
        assertThat(credential.getNotBefore()).isEqualTo(NOW);
        assertThat(credential.getNotAfter()).isEqualTo("9999-12-31T23:59:59Z");
        assertThat(credential.getCriticalExtensionOIDs())
                .containsExactlyInAnyOrder("2.5.29.17", "2.5.29.19", "2.5.29.15");
        assertThat(extension(credential, "2.5.29.37")).isEqualTo("300706056781050801");
        assertThat(extension(credential, "2.5.29.17"))
                .isEqualTo("3046A444304231163014060567810502010C0B69643A3030303031303134"
                        + "3110300E060567810502020C05737774706D31163014060567810502030C0B69643A3030373430303031");
        assertThat(extension(credential, "2.5.29.19")).isEqualTo("3000");
        assertThat(extension(credential, "2.5.29.9")).isEqualTo("3018301606056781050210310D300B0C03312E32020102020174");
        assertThat(extension(credential, "2.5.29.15")).isEqualTo("03020520");
        assertThat(credential.getNonCriticalExtensionOIDs())
                .containsExactlyInAnyOrder("2.5.29.37", "2.5.29.9", "2.5.29.35");
    }

    /** The value of an extension, without the OCTET STRING around it, which is short here. */
    private static String extension(X509Certificate certificate, String oid) {
        byte[] wrapped = certificate.getExtensionValue(oid);
        return HexFormat.of().withUpperCase().formatHex(wrapped, 2, wrapped.length);
    }

    @Test
    void credentialsVerifyAgainstTheAuthoritysCertificate() throws Exception {
        LocalAuthority authority = authority(0, NOW);
        X509Certificate credential = parse(authority.certify(publicKey(), SWTPM));
        X509Certificate own = parse(authority.certificate());

        own.verify(own.getPublicKey());
        credential.verify(own.getPublicKey());
        assertThat(credential.getIssuerX500Principal()).isEqualTo(own.getSubjectX500Principal());
        assertThat(own.getSubjectX500Principal().getEncoded()).isEqualTo(SUBJECT.getEncoded());
        assertThat(own.getBasicConstraints()).isZero();
        assertThat(own.getKeyUsage()).startsWith(false, false, false, false, false, true);
        String keyIdentifier = extension(own, "2.5.29.14").substring(4);
        assertThat(extension(credential, "2.5.29.35")).isEqualTo("30168014" + keyIdentifier);
    }

    @Test
    void serialNumbersAreNeverTheSame() throws Exception {
        Set<Object> serials = new HashSet<>();
        LocalAuthority authority = authority(0, NOW);
        for (int i = 0; i < 20; i++) {
            X509Certificate credential = parse(authority.certify(publicKey(), SWTPM));
            assertThat(credential.getSerialNumber().signum()).isPositive();
            serials.add(credential.getSerialNumber());
        }
        assertThat(serials).hasSize(20);
    }

    @Test
    void noCredentialOutlastsTheAuthority() throws Exception {
        byte[] made = authority(30, NOW).certificate();
        assertThat(parse(made).getNotAfter()).isEqualTo("2026-12-27T12:00:00Z");

        Instant later = NOW.plusSeconds(10 * 86_400);
        assertThat(parse(authority(5, later).certify(publicKey(), SWTPM)).getNotAfter())
                .isEqualTo("2026-12-12T12:00:00Z");
        assertThat(parse(authority(0, later).certify(publicKey(), SWTPM)).getNotAfter())
                .isEqualTo("2026-12-27T12:00:00Z");
        assertThatThrownBy(() -> authority(0, NOW.plusSeconds(31 * 86_400)).certify(publicKey(), SWTPM))
                .isInstanceOf(EndorsementException.class)
                .hasMessageContaining("valid until 2026-12-27T12:00:00Z")
                .hasMessageContaining("move it away");
    }

    @Test
    void theAuthorityIsMadeOnceInFilesOfItsUserAlone() throws Exception {
        byte[] made = authority(0, NOW).certificate();
        assertThat(authority(7, NOW).certificate()).isEqualTo(made);

        Path folder = temporary.resolve("data/ca");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        for (String file : List.of(AuthorityFolder.KEY, AuthorityFolder.CERTIFICATE)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
                    .isEqualTo("rw-------");
        }
        assertThat(temporary.resolve("data").toFile().list()).containsExactly("ca");
    }

    @Test
    void whatACrashLeftBehindIsClearedAway() throws Exception {
        Path draft = Files.createDirectories(temporary.resolve("data/ca.new"));
        Files.writeString(draft.resolve(AuthorityFolder.KEY), "half a k");

        parse(authority(0, NOW).certificate());

        assertThat(draft).doesNotExist();
    }

    @Test
    void whatIsWrongInTheFolderIsNeverReplaced() throws Exception {
        authority(0, NOW).certificate();
        Path folder = temporary.resolve("data/ca");
        Path keyFile = folder.resolve(AuthorityFolder.KEY);

        Files.setPosixFilePermissions(keyFile, PosixFilePermissions.fromString("rw-r-----"));
        refuses("has mode 0640");
        Path moved = Files.move(keyFile, temporary.resolve("elsewhere"));
        refuses("key.der is missing");
        Files.createSymbolicLink(keyFile, moved);
        refuses("links and other kinds of files are refused");
        Files.delete(keyFile);
        Files.writeString(keyFile, "no key");
        Files.setPosixFilePermissions(keyFile, PosixFilePermissions.fromString("rw-------"));
        refuses("its key cannot be used");
        assertThat(keyFile).hasContent("no key");
        Files.writeString(folder.resolve(AuthorityFolder.CERTIFICATE), "no certificate");
        refuses("cannot be used");
        Files.write(folder.resolve(AuthorityFolder.CERTIFICATE), new byte[0]);
        refuses("has 0 bytes");
    }

    @Test
    void aCertificateOfAnotherKeyIsRefused() throws Exception {
        byte[] made = authority(0, NOW).certificate();
        Path folder = temporary.resolve("data/ca");
        Files.move(folder, temporary.resolve("old"));
        authority(0, NOW).certificate();
        Path certificate = folder.resolve(AuthorityFolder.CERTIFICATE);
        byte[] right = Files.readAllBytes(certificate);

        Files.write(certificate, made);
        refuses("key.der and certificate.der do not belong together");
        assertThatThrownBy(() -> authority(0, NOW).certificate()).hasMessageContaining("do not belong together");
        assertThat(certificate).hasBinaryContent(made);

        Files.write(certificate, right);
        assertThat(authority(0, NOW).certificate()).isEqualTo(right);
    }

    private void refuses(String reason) {
        assertThatThrownBy(() -> authority(0, NOW).certify(publicKey(), SWTPM))
                .isInstanceOf(EndorsementException.class)
                .hasMessageContaining(temporary.resolve("data/ca").toString())
                .hasMessageContaining(reason);
    }
}
