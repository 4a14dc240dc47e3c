package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.coverage.CountingProxy;
import org.vtpm.itests.tpm12.coverage.Exercised;

/** TrouSerS and tpm-tools, from Debian, on a TPM of ours; and Xen 3.x's scripts on the legacy listener. */
class RealClientIT {
    private static final Duration STEP = Duration.ofMinutes(2);
    private static final String SECRET = "thirty-two bytes, kept by a TPM.";

    @TempDir
    private Path folder;

    @Test
    void clientsUseWhatTheShellMade() throws Exception {
        try (KarafServer karaf = KarafServer.install(folder.resolve("karaf"))) {
            int port = KarafServer.freePort();
            Programs.Result created = karaf.shell("vtpm:create demo --endpoint tcp:127.0.0.1:" + port);
            assertThat(created.exit()).as(created.output()).isZero();
            Exercised exercised = new Exercised();
            try (CountingProxy proxy = CountingProxy.before(port, exercised)) {
                trousers(proxy.port());
            }
            exercised.save("trousers");
            Path fifos = karaf.home().resolve("data/vtpm/fifos");
            Programs.Result xen = Programs.run(
                    Path.of("").toAbsolutePath(),
                    Map.of(),
                    Duration.ofMinutes(5),
                    "",
                    List.of("python3", "legacy/xen.py", fifos.toString()));
            assertThat(xen.exit()).as(xen.output()).isZero();
            assertThat(karaf.log()).as("stack traces").doesNotContain("\n\tat ");
        }
    }

    private void trousers(int port) throws Exception {
        Path data = Files.createDirectory(folder.resolve("tcsd"));
        int tcsdPort = KarafServer.freePort();
        Path configuration = data.resolve("tcsd.conf");
        Files.writeString(
                configuration, "port = " + tcsdPort + "\nsystem_ps_file = " + data.resolve("system.data") + "\n");
        own(data, configuration);
        Process daemon = Programs.start(
                data,
                data.resolve("tcsd.log"),
                List.of("tcsd", "-f", "-e", "-c", configuration.toString()),
                Map.of(
                        "TCSD_USE_TCP_DEVICE", "1",
                        "TCSD_TCP_DEVICE_HOSTNAME", "127.0.0.1",
                        "TCSD_TCP_DEVICE_PORT", Integer.toString(port)));
        Map<String, String> tools =
                Map.of("TSS_TCSD_HOSTNAME", "localhost", "TSS_TCSD_PORT", Integer.toString(tcsdPort));
        try {
            Wait.until("tcsd listens", STEP, () -> {
                assertThat(daemon.isAlive())
                        .as(Files.readString(data.resolve("tcsd.log")))
                        .isTrue();
                new Socket(InetAddress.getLoopbackAddress(), tcsdPort).close();
                return true;
            });
            Path secret = Files.writeString(data.resolve("secret"), SECRET);
            Path read = data.resolve("read");
            String area = "0x11";
            assertThat(step(tools, "tpm_version")).contains("TPM 1.2 Version Info", "VTPM");
            step(tools, "tpm_selftest");
            assertThat(step(tools, "tpm_getpubek")).contains("2048 bits");
            step(tools, "tpm_takeownership", "-y", "-z");
            step(tools, "tpm_nvdefine", "-i", area, "-s", "32", "-p", "OWNERWRITE|OWNERREAD", "-y");
            step(tools, "tpm_nvwrite", "-i", area, "-s", "32", "-f", secret.toString(), "-z");
            step(tools, "tpm_nvread", "-i", area, "-s", "32", "-f", read.toString(), "-z");
            assertThat(Files.readString(read)).isEqualTo(SECRET);
            assertThat(step(tools, "tpm_nvinfo", "-i", area)).contains("OWNERREAD");
            assertThat(step(tools, "tpm_clear", "-z")).contains("Cleared");
        } finally {
            Programs.end(daemon);
        }
    }

    /** tcsd runs as root or as tss, and accepts its configuration only from root:tss with mode 0640. */
    private static void own(Path data, Path configuration) throws Exception {
        Files.setPosixFilePermissions(configuration, PosixFilePermissions.fromString("rw-r-----"));
        for (String command : List.of("chown root:tss " + configuration, "chown tss:tss " + data)) {
            Programs.Result changed = Programs.run(data, Map.of(), STEP, "", Arrays.asList(command.split(" ", -1)));
            assertThat(changed.exit()).as(changed.output()).isZero();
        }
        for (Path parent = data; parent != null && parent.startsWith("/tmp/"); parent = parent.getParent()) {
            Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    private String step(Map<String, String> environment, String... command) throws Exception {
        List<String> line = new ArrayList<>(List.of("setsid", "-w"));
        line.addAll(List.of(command));
        Programs.Result result = Programs.run(folder, environment, STEP, "", line);
        assertThat(result.exit())
                .as(String.join(" ", command) + ": " + result.output())
                .isZero();
        return result.output();
    }
}
