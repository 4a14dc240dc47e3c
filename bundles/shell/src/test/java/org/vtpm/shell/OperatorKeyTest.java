package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys as OpenSSL 3.0 writes them. */
class OperatorKeyTest {
    private static final byte[] CONTENT = {1, 2, 3};

    @TempDir
    private Path folder;

    /** Copies one of the key files, made with OpenSSL, to where a command can read it. */
    static Path file(String name, Path folder) throws Exception {
        Path file = folder.resolve(name);
        try (InputStream in = Objects.requireNonNull(OperatorKeyTest.class.getResourceAsStream(name))) {
            Files.write(file, in.readAllBytes());
        }
        return file;
    }

    private Path file(String name) throws Exception {
        return file(name, folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rsa", "ec"})
    void bothHalvesBelongTogether(String kind) throws Exception {
        OperatorKey.Private key = OperatorKey.readPrivate(file("operator-" + kind + ".pem"));
        byte[] publicKey = OperatorKey.readPublic(file("operator-" + kind + "-public.pem"));

        assertThat(key.publicHalf()).hasValue(publicKey);
        assertThat(key.isFor(publicKey)).isTrue();
        assertThat(FakeStorage.verifies(publicKey, CONTENT, key.sign(CONTENT))).isTrue();
    }

    @Test
    void keysOfOthersDoNotBelong() throws Exception {
        OperatorKey.Private key = OperatorKey.readPrivate(file("operator-ec.pem"));
        assertThat(key.isFor(OperatorKey.readPublic(file("operator-rsa-public.pem"))))
                .isFalse();
    }

    @Test
    void anEcKeyNeedNotTellItsPublicHalf() throws Exception {
        OperatorKey.Private key = OperatorKey.readPrivate(file("operator-ec-no-public.pem"));
        assertThat(key.publicHalf()).isEmpty();
        assertThat(key.isFor(OperatorKey.readPublic(file("operator-ec-public.pem"))))
                .isTrue();
    }

    @Test
    void whatIsNoOpenPrivateKeyIsNamed() throws Exception {
        noPrivate("operator-encrypted.pem", "is encrypted");
        noPrivate("operator-sec1.pem", "openssl pkcs8 -topk8 -nocrypt");
        noPrivate("operator-pkcs1.pem", "openssl pkcs8 -topk8 -nocrypt");
        noPrivate("operator-ec-public.pem", "has no private key, but a PUBLIC KEY");
        noPrivate("operator-ed25519.pem", "neither an RSA key nor an EC key");
    }

    private void noPrivate(String name, String message) throws Exception {
        Path file = file(name);
        assertThatThrownBy(() -> OperatorKey.readPrivate(file))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
    }

    @Test
    void whatIsNoPublicKeyIsNamed() throws Exception {
        noPublic(file("operator-ec.pem"), "openssl pkey -in " + folder + "/operator-ec.pem -pubout");
        noPublic(file("swtpm-ek.pem"), "openssl x509 -pubkey");
        noPublic(Files.writeString(folder.resolve("text"), "hello"), "is no PEM file");
        noPublic(Files.writeString(folder.resolve("cut"), "-----BEGIN PUBLIC KEY-----\nAAAA\n"), "is cut off");
        noPublic(
                Files.writeString(
                        folder.resolve("damaged"), "-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----\n"),
                "is damaged");
        noPublic(
                Files.writeString(
                        folder.resolve("short"), "-----BEGIN PUBLIC KEY-----\nMAAA\n-----END PUBLIC KEY-----\n"),
                "neither an RSA key nor an EC key");
        noPublic(folder.resolve("none"), "there is no such file");
        noPublic(folder, "cannot be read");
    }

    private static void noPublic(Path file, String message) {
        assertThatThrownBy(() -> OperatorKey.readPublic(file))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
    }

    @Test
    void anInnerStructureThatIsCutTellsNoPublicHalf() {
        assertThat(EcPublicHalf.of(new byte[0])).isEmpty();
        assertThat(EcPublicHalf.of(new byte[] {0x30, 0x05, 0x02, 0x01, 0x00})).isEmpty();
        assertThat(EcPublicHalf.of(new byte[] {0x30, 0x03, 0x02, 0x01, 0x00})).isEmpty();
        assertThat(EcPublicHalf.of(new byte[] {0x30, (byte) 0x84, 0, 0, 0, 0})).isEmpty();
    }
}
