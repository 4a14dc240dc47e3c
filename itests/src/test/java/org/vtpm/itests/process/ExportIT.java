package org.vtpm.itests.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * A guest of TrouSerS and tpm-tools, from Debian, has its TPM on one host, then on another, then on the first one again: a
 * bundle for the other host's key carries it there, one for a pass phrase back. It finds all it had, and nobody else opens
 * the bundles. A guest of Xen 3.x moves, too.
 */
class ExportIT {
    private static final String FIRST = "what it kept in NV at the first.";
    private static final String SECOND = "what it kept there later, at las";
    private static final int INDEX = 0x11;
    private static final String AREA = "0x11";
    private static final byte[] WELL_KNOWN = new byte[20];

    @TempDir
    private Path folder;

    private Path guest;
    private String endorsementKey;
    private String identity;

    @Test
    void aTpmMovesToAnotherHostAndBack() throws Exception {
        guest = folder.resolve("guest");
        try (KarafServer here = KarafServer.install(folder.resolve("here"));
                KarafServer there = KarafServer.install(folder.resolve("there"))) {
            Path during = folder.resolve("during.vtpm");
            Path moving = folder.resolve("moving.vtpm");
            leave(here, there, during, moving);
            arrive(there, moving);
            theOneFromBeforeIsAsItWasThen(there, during);
            comeBackByPassphrase(there, here);
            aGuestOfXen3Moves(here, there);
            for (KarafServer each : List.of(here, there)) {
                assertThat(each.log()).as("stack traces").doesNotContain("\n\tat ");
            }
        }
    }

    /** One bundle is made while the TPM runs, and one when it has stopped for good. */
    private void leave(KarafServer here, KarafServer there, Path during, Path moving) throws Exception {
        Path key = folder.resolve("there.pem");
        assertThat(shell(there, "vtpm:storage host-key --out " + key)).contains("SHA-256");
        int port = KarafServer.freePort();
        identity = identity(shell(
                here, "vtpm:create web --isolation process --endpoint tcp:127.0.0.1:" + port, "vtpm:show web --json"));
        acquire(port);

        String text = Files.readAllLines(key).get(1);
        assertThat(shell(here, "vtpm:export web " + during + " --to " + text)).contains("It goes on");
        try (Tpm12Client tpm = new Tpm12Client(here.connect(port), new SecureRandom())) {
            tpm.nvWrite(INDEX, 0, SECOND.getBytes(ISO_8859_1), Auth.once(tpm.oiap(), WELL_KNOWN))
                    .orFail();
        }
        assertThat(refused(here, "vtpm:export web " + moving))
                .as("without a terminal")
                .contains("--passphrase-file");
        assertThat(shell(
                        here,
                        "vtpm:stop web",
                        "vtpm:export web " + moving + " --to " + key,
                        "vtpm:delete web",
                        "vtpm:storage host-key"))
                .contains("for the host with the key SHA-256");

        assertThat(Files.getPosixFilePermissions(moving)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(Files.readString(moving, ISO_8859_1))
                .startsWith("VTPMBNDL")
                .doesNotContain(FIRST, SECOND, "tcp:127.0.0.1");
        assertThat(refused(here, "vtpm:import " + moving))
                .containsPattern("it is made for host \\w{64}, this is \\w{64}");
    }

    /** The guest's own software stack makes it the TPM's owner, and keeps keys and sealed data outside of it. */
    private void acquire(int port) throws Exception {
        try (Trousers tools = Trousers.start(guest, port)) {
            Files.writeString(guest.resolve("first"), FIRST);
            tools.step("tpm_takeownership", "-y", "-z");
            endorsementKey = tools.step("tpm_getpubek", "-z");
            tools.step("tpm_nvdefine", "-i", AREA, "-s", "32", "-p", "OWNERWRITE|OWNERREAD", "-y");
            tools.step("tpm_nvwrite", "-i", AREA, "-s", "32", "-f", "first", "-z");
            tools.step("tpm_sealdata", "-z", "-i", "first", "-o", "sealed");
        }
    }

    private void findsAll(int port) throws Exception {
        try (Trousers tools = Trousers.start(guest, port)) {
            assertThat(tools.step("tpm_getpubek", "-z")).isEqualTo(endorsementKey);
            tools.step("tpm_nvread", "-i", AREA, "-s", "32", "-f", "read", "-z");
            assertThat(guest.resolve("read")).hasContent(SECOND);
            Files.deleteIfExists(guest.resolve("unsealed"));
            tools.step("tpm_unsealdata", "-z", "-i", "sealed", "-o", "unsealed");
            assertThat(guest.resolve("unsealed")).hasContent(FIRST);
        }
    }

    private void arrive(KarafServer there, Path bundle) throws Exception {
        int port = KarafServer.freePort();
        String imported =
                shell(there, "vtpm:import " + bundle + " --endpoint tcp:127.0.0.1:" + port, "vtpm:show web --json");
        assertThat(imported).contains("web: RUNNING", "Its endpoints are not taken over: tcp:", "never runs again");
        assertThat(identity(imported)).isEqualTo(identity);
        findsAll(port);
    }

    private void theOneFromBeforeIsAsItWasThen(KarafServer there, Path bundle) throws Exception {
        int port = KarafServer.freePort();
        shell(
                there,
                "vtpm:import before " + bundle + " --uuid 6f1b4c1e-0d0f-4c55-9c66-3f6a2f1d7c10"
                        + " --endpoint tcp:127.0.0.1:" + port);
        try (Tpm12Client tpm = new Tpm12Client(there.connect(port), new SecureRandom())) {
            byte[] read = tpm.nvRead(INDEX, 0, FIRST.length(), Auth.once(tpm.oiap(), WELL_KNOWN))
                    .orFail()
                    .body();
            assertThat(new String(read, 4, FIRST.length(), ISO_8859_1)).isEqualTo(FIRST);
        }
    }

    private void comeBackByPassphrase(KarafServer there, KarafServer here) throws Exception {
        Path bundle = folder.resolve("back.vtpm");
        Path phrase = Files.writeString(folder.resolve("phrase"), "six dice and a list of words\n");
        Path guess = Files.writeString(folder.resolve("guess"), "six dice and a list of words!");
        shell(
                there,
                "vtpm:suspend web",
                "vtpm:export web " + bundle + " --passphrase-file " + phrase,
                "vtpm:delete web --force");

        assertThat(refused(here, "vtpm:import " + bundle + " --passphrase-file " + guess))
                .contains("pass phrase is wrong");
        int port = KarafServer.freePort();
        String imported = shell(
                here,
                "vtpm:import " + bundle + " --passphrase-file " + phrase + " --endpoint tcp:127.0.0.1:" + port,
                "vtpm:show web --json");
        assertThat(imported).contains("What it was doing when it was suspended is not in the bundle");
        assertThat(identity(imported)).isEqualTo(identity);
        findsAll(port);
    }

    /** The steps of docs/legacy.md; the number is another one there. */
    private void aGuestOfXen3Moves(KarafServer here, KarafServer there) throws Exception {
        Path memory = folder.resolve("memory.json");
        Path bundle = folder.resolve("vtpm-3.vtpm");
        play(here, "--instance", "3", "--leave", memory.toString());
        String left = shell(
                here,
                "vtpm:legacy list",
                "vtpm:export vtpm-3 " + bundle + " --to " + folder.resolve("there.pem"),
                "vtpm:delete vtpm-3 --force");
        assertThat(left).containsPattern("3 +\\| [0-9a-f-]{36} +\\| vtpm-3 +\\| SUSPENDED");
        assertThat(shell(there, "vtpm:import vtpm-5 " + bundle + " --endpoint legacy:5"))
                .contains("vtpm-5: RUNNING", "Its endpoints are not taken over: legacy:3");
        play(there, "--instance", "5", "--arrive", memory.toString());
    }

    /** Xen's backend and hotplug scripts of one host. */
    private static void play(KarafServer karaf, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "python3",
                "legacy/xen.py",
                karaf.home().resolve("data/vtpm/fifos").toString()));
        command.addAll(List.of(arguments));
        Programs.Result xen = Programs.run(Path.of("").toAbsolutePath(), Map.of(), Duration.ofMinutes(5), "", command);
        assertThat(xen.exit()).as(xen.output()).isZero();
    }

    /** All that an instance keeps of itself, with its endorsement key and the certificate of it. */
    private static String identity(String shown) {
        String kept = shown.lines()
                .map(String::strip)
                .filter(line -> line.matches("\"(name|uuid|family|isolation|startup|created|serial|issuer|sha256)\".*"))
                .collect(Collectors.joining("\n"));
        assertThat(kept).contains("\"uuid\"", "\"isolation\": \"process\"", "\"created\"", "\"sha256\"");
        return kept;
    }

    private static String shell(KarafServer karaf, String... lines) throws Exception {
        Programs.Result result = karaf.shell(lines);
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    private static String refused(KarafServer karaf, String line) throws Exception {
        Programs.Result result = karaf.shell(line);
        assertThat(result.exit()).as(result.output()).isNotZero();
        return result.output();
    }
}
