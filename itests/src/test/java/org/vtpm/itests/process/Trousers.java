package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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

/** The TCG software stack's daemon on one TPM, and the tools that speak to it. Needs root. */
final class Trousers implements AutoCloseable {
    private static final Duration STEP = Duration.ofMinutes(2);

    private static final String PORT = "TSS_TCSD_PORT";

    private final Path folder;
    private final Process daemon;
    private final Map<String, String> environment;

    private Trousers(Path folder, Process daemon, int port) {
        this.folder = folder;
        this.daemon = daemon;
        this.environment = Map.of("TSS_TCSD_HOSTNAME", "localhost", PORT, Integer.toString(port));
    }

    /**
     * Starts the daemon, until it listens.
     *
     * @param folder where the tools run; what an earlier daemon kept there, of the same TPM, counts
     * @param tpmPort of a TPM on the loopback interface
     */
    static Trousers start(Path folder, int tpmPort) throws IOException, InterruptedException {
        Path data = Files.createDirectories(folder.resolve("tcsd"));
        int port = KarafServer.freePort();
        Path configuration = data.resolve("tcsd.conf");
        Files.writeString(configuration, "port = " + port + "\nsystem_ps_file = " + data.resolve("system.data") + "\n");
        own(data, configuration);
        Path log = data.resolve("tcsd.log");
        Process daemon = Programs.start(
                data,
                log,
                List.of("tcsd", "-f", "-e", "-c", configuration.toString()),
                Map.of(
                        "TCSD_USE_TCP_DEVICE", "1",
                        "TCSD_TCP_DEVICE_HOSTNAME", "127.0.0.1",
                        "TCSD_TCP_DEVICE_PORT", Integer.toString(tpmPort)));
        Trousers started = new Trousers(folder, daemon, port);
        try {
            Wait.until("tcsd listens", STEP, () -> {
                assertThat(daemon.isAlive()).as(Files.readString(log)).isTrue();
                new Socket(InetAddress.getLoopbackAddress(), port).close();
                return true;
            });
        } catch (InterruptedException | AssertionError e) {
            started.close();
            throw e;
        }
        return started;
    }

    /** The port of the daemon, for a tool that speaks to two of them. */
    String port() {
        return environment.get(PORT);
    }

    /** Runs a tool that has to succeed. */
    String step(String... command) throws IOException, InterruptedException {
        Programs.Result result = run("", command);
        assertThat(result.exit())
                .as(String.join(" ", command) + ": " + result.output())
                .isZero();
        return result.output();
    }

    /**
     * Runs a tool that may fail.
     *
     * @param input what it is typed at its prompts; without a terminal it reads them from standard input
     */
    Programs.Result run(String input, String... command) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("setsid", "-w"));
        line.addAll(List.of(command));
        return Programs.run(folder, environment, STEP, input, line);
    }

    /** tcsd runs as root or as tss, and accepts its configuration only from root:tss with mode 0640. */
    private static void own(Path data, Path configuration) throws IOException, InterruptedException {
        Files.setPosixFilePermissions(configuration, PosixFilePermissions.fromString("rw-r-----"));
        for (String command : List.of("chown root:tss " + configuration, "chown tss:tss " + data)) {
            Programs.Result changed = Programs.run(data, Map.of(), STEP, "", Arrays.asList(command.split(" ", -1)));
            assertThat(changed.exit()).as(changed.output()).isZero();
        }
        for (Path parent = data; parent != null && parent.startsWith("/tmp/"); parent = parent.getParent()) {
            Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    @Override
    public void close() {
        Programs.end(daemon);
    }
}
