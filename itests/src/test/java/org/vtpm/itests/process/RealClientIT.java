package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.Wire;
import org.vtpm.itests.tpm12.coverage.CountingProxy;
import org.vtpm.itests.tpm12.coverage.Exercised;

/** TrouSerS with its tools, from Debian, on TPMs of ours; and Xen 3.x's scripts on the legacy listener. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RealClientIT {
    private static final String SECRET = "thirty-two bytes, kept by a TPM.";
    private static final int RESETTABLE = 16;

    /** TPM_SUCCESS is exit code 0; tpm_unsealdata exits with the TPM's own code. */
    private static final int WRONGPCRVAL = 0x18;

    private static final int DECRYPT_ERROR = 0x21;

    /** TPM_ALG_RSA, no encryption, signatures with SHA-1: what a signing key's TPM_KEY_PARMS begin with. */
    private static final String SIGNING_PARMS = "0000000100010002";

    /** Moves keys by TrouSerS's library: no tool does. */
    private static final String MIGRATE =
            Path.of("trousers/migrate.py").toAbsolutePath().toString();

    private final Exercised exercised = new Exercised();
    private Path folder;
    private KarafServer karaf;

    @BeforeAll
    void install(@TempDir Path temporary) throws Exception {
        folder = temporary;
        karaf = KarafServer.install(folder.resolve("karaf"));
    }

    @AfterAll
    void end() throws IOException {
        assertThat(karaf.log()).as("stack traces").doesNotContain("\n\tat ");
        karaf.close();
        exercised.save("trousers");
    }

    /** What is done with a client's tools, and the port of the TPM for anything else. */
    @FunctionalInterface
    private interface Story {
        void tell(Trousers tools, int port) throws Exception;
    }

    @Test
    void anOwnerKeepsASecretInNv() throws Exception {
        tell("nv", (tools, port) -> {
            Path read = folder.resolve("nv/read");
            Files.writeString(folder.resolve("nv/secret"), SECRET);
            String area = "0x11";
            assertThat(tools.step("tpm_version")).contains("TPM 1.2 Version Info", "VTPM");
            tools.step("tpm_selftest");
            assertThat(tools.step("tpm_getpubek")).contains("2048 bits");
            tools.step("tpm_takeownership", "-y", "-z");
            tools.step("tpm_nvdefine", "-i", area, "-s", "32", "-p", "OWNERWRITE|OWNERREAD", "-y");
            tools.step("tpm_nvwrite", "-i", area, "-s", "32", "-f", "secret", "-z");
            tools.step("tpm_nvread", "-i", area, "-s", "32", "-f", "read", "-z");
            assertThat(Files.readString(read)).isEqualTo(SECRET);
            assertThat(tools.step("tpm_nvinfo", "-i", area)).contains("OWNERREAD");
            assertThat(tools.step("tpm_clear", "-z")).contains("Cleared");
        });
    }

    @Test
    void anIdentityQuotesPcrs() throws Exception {
        tell("quote", (tools, port) -> {
            Path here = folder.resolve("quote");
            tools.step("tpm_takeownership", "-y", "-z");
            extend(port, RESETTABLE);
            tools.step("tpm_mkuuid", "uuid");
            tools.step("tpm_mkaik", "-z", "blob", "pub");
            tools.step("tpm_loadkey", "blob", "uuid");
            byte[] nonce = Wire.sha1(new byte[] {1});
            Files.write(here.resolve("nonce"), nonce);
            tools.step("tpm_getpcrhash", "uuid", "hash", "values", "0", Integer.toString(RESETTABLE));
            assertThat(Files.readString(here.resolve("values")))
                    .contains(
                            "0=" + "00".repeat(20),
                            RESETTABLE + "=" + HexFormat.of().withUpperCase().formatHex(extended()));
            tools.step("tpm_getquote", "uuid", "nonce", "quote", "0", Integer.toString(RESETTABLE));
            // tpm_verifyquote cannot read the identity's public key with OpenSSL 3; so it is verified here.
            byte[] info = Files.readAllBytes(here.resolve("hash"));
            byte[] signed = Wire.concat(Arrays.copyOf(info, 6), nonce, Arrays.copyOfRange(info, 26, info.length));
            assertThat(verified(
                            Files.readAllBytes(here.resolve("pub")), signed, Files.readAllBytes(here.resolve("quote"))))
                    .isTrue();
            tools.step("tpm_unloadkey", "uuid");
        });
    }

    @Test
    void sealedDataIsGoneWithThePcrs() throws Exception {
        tell("seal", (tools, port) -> {
            Path here = folder.resolve("seal");
            Files.writeString(here.resolve("in"), SECRET);
            tools.step("tpm_takeownership", "-y", "-z");
            tools.step("tpm_sealdata", "-z", "-p", Integer.toString(RESETTABLE), "-i", "in", "-o", "sealed");
            tools.step("tpm_unsealdata", "-z", "-i", "sealed", "-o", "out");
            assertThat(Files.readString(here.resolve("out"))).isEqualTo(SECRET);
            extend(port, RESETTABLE);
            assertThat(tools.run("", "tpm_unsealdata", "-z", "-i", "sealed", "-o", "late")
                            .exit())
                    .isEqualTo(WRONGPCRVAL);
            assertThat(here.resolve("late")).isEmptyFile();
        });
    }

    @Test
    void anOwnerChangesTheSecretAndIsDefendedAgainstGuesses() throws Exception {
        tell("owner", (tools, port) -> {
            Files.writeString(folder.resolve("owner/in"), "12345678");
            tools.step("tpm_takeownership", "-y", "-z");
            typed(tools, "new owner\nnew owner\n", "tpm_changeownerauth", "-z", "-o");
            assertThat(tools.run("", "tpm_nvdefine", "-i", "0x21", "-s", "8", "-p", "OWNERWRITE", "-y")
                            .exit())
                    .as("the old secret")
                    .isNotZero();
            typed(tools, "new owner\n", "tpm_changeownerauth", "-o", "-r");

            String pcr = Integer.toString(RESETTABLE);
            lockNv(port);
            tools.step("tpm_nvdefine", "-i", "0x21", "-s", "8", "-p", "OWNERWRITE|OWNERREAD", "-y", "-r", pcr);
            tools.step("tpm_nvwrite", "-i", "0x21", "-s", "8", "-f", "in", "-z");
            tools.step("tpm_nvread", "-i", "0x21", "-s", "8", "-f", "out", "-z");
            extend(port, RESETTABLE);
            assertThat(tools.run("", "tpm_nvread", "-i", "0x21", "-s", "8", "-f", "out", "-z")
                            .output())
                    .contains("PCR");

            Programs.Result guess = tools.run("guess\n", "tpm_restrictsrk", "-s");
            assertThat(guess.output()).contains("Authentication failed");
            for (int i = 0; i < 10 && !guess.output().contains("dictionary attacks"); i++) {
                guess = tools.run("guess\n", "tpm_restrictsrk", "-s");
            }
            assertThat(guess.output()).contains("dictionary attacks");
            tools.step("tpm_resetdalock", "-z");
            assertThat(tools.step("tpm_clear", "-z")).contains("Cleared");
        });
    }

    @Test
    void theEndorsementKeyIsCertified() throws Exception {
        tell("endorsement", (tools, port) -> {
            Path here = folder.resolve("endorsement");
            shell("vtpm:ca --pem " + here.resolve("ca.pem"));
            shell("vtpm:show endorsement --ek-cert " + here.resolve("ek.pem"));
            assertThat(tools.step("openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "ek.pem"))
                    .contains("ek.pem: OK");
            assertThat(tools.step("openssl", "x509", "-in", "ek.pem", "-noout", "-text"))
                    .contains(
                            "Subject: \n",
                            "X509v3 Subject Alternative Name: critical",
                            "2.23.133.2.1=id:5654504D",
                            "2.23.133.2.2=engine-tpm12",
                            "2.23.133.2.3=id:00000001",
                            "2.23.133.8.1",
                            "CA:FALSE",
                            "Key Encipherment");

            // Anyone may read it before there is an owner: firmware and installers look at it.
            tools.step("openssl", "x509", "-in", "ek.pem", "-outform", "der", "-out", "ek.der");
            byte[] der = Files.readAllBytes(here.resolve("ek.der"));
            byte[] stored = Wire.concat(Wire.u16(0x1001), new byte[1], Wire.u16(2 + der.length), Wire.u16(0x1002), der);
            String area = "0x1000f000";
            assertThat(tools.step("tpm_nvinfo", "-i", area))
                    .contains("OWNERREAD|OWNERWRITE", "(0x" + Integer.toHexString(stored.length) + ")");
            tools.step("tpm_nvread", "-i", area, "-s", Integer.toString(stored.length), "-f", "read");
            assertThat(Files.readAllBytes(here.resolve("read"))).isEqualTo(stored);

            String modulus = tools.step("openssl", "x509", "-in", "ek.pem", "-noout", "-modulus")
                    .strip()
                    .replace("Modulus=", "")
                    .toLowerCase(Locale.ROOT);
            String pubek = tools.step("tpm_getpubek").replaceAll("\\s", "");
            assertThat(pubek).contains(modulus);

            String before = shell("vtpm:show endorsement --json");
            tools.step("tpm_takeownership", "-y", "-z");
            lockNv(port);
            assertThat(tools.run("", "tpm_nvread", "-i", area, "-s", "7", "-f", "head")
                            .exit())
                    .isNotZero();
            tools.step("tpm_nvread", "-i", area, "-s", "7", "-f", "head", "-z");
            assertThat(Files.readAllBytes(here.resolve("head"))).isEqualTo(Arrays.copyOf(stored, 7));
            assertThat(tools.step("tpm_clear", "-z")).contains("Cleared");
            shell("vtpm:stop endorsement");
            String after = shell("vtpm:show endorsement --json");
            assertThat(after.substring(after.indexOf("\"endorsement\": {")))
                    .isEqualTo(before.substring(before.indexOf("\"endorsement\": {")));
            shell("vtpm:show endorsement --ek-cert " + here.resolve("again.pem"));
            assertThat(here.resolve("again.pem")).hasSameTextualContentAs(here.resolve("ek.pem"));
        });
    }

    /** From one TPM to another, in both ways that the owner may choose; TrouSerS cannot play a migration authority. */
    @Test
    void aKeyMigratesToAnotherTpm() throws Exception {
        tell(
                "source",
                (source, sourcePort) -> tell("destination", (destination, destinationPort) -> {
                    Path from = folder.resolve("source");
                    Path to = folder.resolve("destination");
                    Files.writeString(from.resolve("message"), SECRET);
                    source.step("tpm_takeownership", "-y", "-z");
                    destination.step("tpm_takeownership", "-y", "-z");
                    migrate(source, "create", "key", "pub");
                    migrate(source, "sign", "key", "message", "signature");
                    migrate(destination, "srk", "srk");
                    carry(to, from, "srk");
                    migrate(source, "rewrap", "key", "srk", "rewrapped");
                    migrate(source, "migrate", "key", "srk", "blob", "random");
                    carry(from, to, "message", "key", "rewrapped", "blob", "random");

                    assertThat(refused(destination, "sign", "key", "message", "none"))
                            .as("before it migrates, the key is the other TPM's")
                            .contains("LoadKeyByBlob: 0x" + Integer.toHexString(DECRYPT_ERROR));
                    migrate(destination, "sign", "rewrapped", "message", "signature");
                    byte[] pub = Files.readAllBytes(from.resolve("pub"));
                    byte[] message = Files.readAllBytes(to.resolve("message"));
                    assertThat(verified(pub, message, Files.readAllBytes(to.resolve("signature"))))
                            .isTrue();
                    assertThat(Files.readAllBytes(from.resolve("signature")))
                            .as("such signatures are not random")
                            .isEqualTo(Files.readAllBytes(to.resolve("signature")));

                    Files.write(to.resolve("other"), new byte[(int) Files.size(to.resolve("random"))]);
                    assertThat(refused(destination, "convert", "blob", "other", "none"))
                            .contains("ConvertMigrationBlob");
                    migrate(destination, "convert", "blob", "random", "converted");
                    migrate(destination, "sign", "converted", "message", "again");
                    assertThat(verified(pub, message, Files.readAllBytes(to.resolve("again"))))
                            .isTrue();
                }));
    }

    @Test
    void aCertifiableKeyMigratesAsItsAuthorityApproves() throws Exception {
        tell(
                "certified",
                (source, sourcePort) -> tell("approved", (destination, destinationPort) -> {
                    Path from = folder.resolve("certified");
                    Path to = folder.resolve("approved");
                    Files.writeString(from.resolve("message"), SECRET);
                    source.step("tpm_takeownership", "-y", "-z");
                    destination.step("tpm_takeownership", "-y", "-z");
                    migrate(source, "certified", destination.port(), "key", "pub", "moved");
                    carry(from, to, "message", "key", "moved");

                    assertThat(refused(destination, "sign", "key", "message", "none"))
                            .contains("LoadKeyByBlob");
                    migrate(destination, "sign", "moved", "message", "signature");
                    assertThat(verified(
                                    Files.readAllBytes(from.resolve("pub")),
                                    Files.readAllBytes(to.resolve("message")),
                                    Files.readAllBytes(to.resolve("signature"))))
                            .isTrue();
                }));
    }

    private static void migrate(Trousers tools, String... step) throws Exception {
        tools.step(migration(step));
    }

    private static String refused(Trousers tools, String... step) throws Exception {
        Programs.Result result = tools.run("", migration(step));
        assertThat(result.exit()).as(result.output()).isEqualTo(1);
        return result.output();
    }

    private static String[] migration(String... step) {
        return Stream.concat(Stream.of("python3", MIGRATE), Stream.of(step)).toArray(String[]::new);
    }

    private static void carry(Path from, Path to, String... files) throws IOException {
        for (String file : files) {
            Files.copy(from.resolve(file), to.resolve(file));
        }
    }

    private String shell(String line) throws Exception {
        Programs.Result result = karaf.shell(line);
        assertThat(result.exit()).as(line + ": " + result.output()).isZero();
        return result.output();
    }

    @Test
    void xensScriptsDriveTheLegacyListener() throws Exception {
        Path fifos = karaf.home().resolve("data/vtpm/fifos");
        Programs.Result xen = Programs.run(
                Path.of("").toAbsolutePath(),
                Map.of(),
                Duration.ofMinutes(5),
                "",
                List.of("python3", "legacy/xen.py", fifos.toString()));
        assertThat(xen.exit()).as(xen.output()).isZero();
        assertThat(karaf.log()).containsPattern("MIGRATE_OUT refused: .* vtpm:export and vtpm:import");
    }

    /** A story on a TPM of its own, which the shell makes. */
    private void tell(String name, Story story) throws Exception {
        int port = KarafServer.freePort();
        shell("vtpm:create " + name + " --endpoint tcp:127.0.0.1:" + port);
        try (CountingProxy proxy = CountingProxy.before(port, exercised);
                Trousers tools = Trousers.start(folder.resolve(name), proxy.port())) {
            story.tell(tools, port);
        }
    }

    private static void typed(Trousers tools, String input, String... command) throws Exception {
        Programs.Result result = tools.run(input, command);
        assertThat(result.exit()).as(result.output()).isZero();
    }

    /** What firmware or a boot loader does beside the software stack. */
    private static void extend(int port, int pcr) throws Exception {
        try (Tpm12Client tpm = new Tpm12Client(SocketTpm.tcp(port), new Random(1))) {
            tpm.extend(pcr, measurement()).orFail();
        }
    }

    /** What the platform's maker does before it leaves the house: only from then on are NV areas protected. */
    private static void lockNv(int port) throws Exception {
        try (Tpm12Client tpm = new Tpm12Client(SocketTpm.tcp(port), new Random(1))) {
            tpm.nvDefine(-1, 0, 0).orFail();
        }
    }

    private static byte[] measurement() {
        return Wire.sha1(new byte[] {2});
    }

    private static byte[] extended() {
        return Wire.sha1(Wire.zeros(), measurement());
    }

    private static boolean verified(byte[] key, byte[] signed, byte[] signature) throws GeneralSecurityException {
        byte[] parms = HexFormat.of().parseHex(SIGNING_PARMS);
        int at = 0;
        while (!Arrays.equals(key, at, at + parms.length, parms, 0, parms.length)) {
            at++;
        }
        byte[] modulus = Arrays.copyOfRange(key, key.length - 256, key.length);
        assertThat(key.length - at).isEqualTo(parms.length + 4 + 12 + 4 + modulus.length);
        Signature verifier = Signature.getInstance("SHA1withRSA");
        verifier.initVerify(KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(new BigInteger(1, modulus), BigInteger.valueOf(65537))));
        verifier.update(signed);
        return verifier.verify(signature);
    }
}
