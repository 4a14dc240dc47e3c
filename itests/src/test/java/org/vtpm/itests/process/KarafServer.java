package org.vtpm.itests.process;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.vtpm.itests.tpm12.SocketTpm;

/** The product as its users get it: the assembly, unpacked into a folder of its own and run as a process. */
public final class KarafServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int FIRST_PORT = 10_240;
    private static final int FIRST_EPHEMERAL_PORT = 32_768;
    private static final int MOST_ATTEMPTS = 100;

    private final Path home;
    private final int sshPort;
    private final Map<String, String> environment;
    private Process process;

    private KarafServer(Path home, int sshPort) {
        this.home = home;
        this.sshPort = sshPort;
        this.environment = Map.of("ORG_APACHE_KARAF_SHELL_SSHPORT", Integer.toString(sshPort));
    }

    /** Unpacks it and starts it, until its shell answers. */
    public static KarafServer install(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Programs.Result unpacked = Programs.run(
                folder,
                Map.of(),
                PATIENCE,
                "",
                List.of("tar", "-xzf", System.getProperty("vtpm.assembly"), "--strip-components=1"));
        if (unpacked.exit() != 0) {
            throw new IOException("the assembly cannot be unpacked: " + unpacked.output());
        }
        KarafServer server = new KarafServer(folder, freePort());
        server.start();
        try {
            server.awaitShell();
        } catch (InterruptedException | RuntimeException | Error e) {
            // Nobody else could end it.
            server.close();
            throw e;
        }
        return server;
    }

    /**
     * A port of the loopback interface that nobody uses. It lies below those that Linux gives to outgoing connections:
     * one of these might take it while a server that is to come back on it restarts.
     */
    public static int freePort() throws IOException {
        for (int attempt = 0; ; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, FIRST_EPHEMERAL_PORT);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException e) {
                if (attempt == MOST_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    public Path home() {
        return home;
    }

    /** The port of its shell. */
    int sshPort() {
        return sshPort;
    }

    /** Starts the process; what it serves comes up a moment later. */
    void start() throws IOException {
        process = Programs.start(home, home.resolve("console.log"), List.of("bin/karaf", "server"), environment);
    }

    /** Kills it and starts it again, until its shell answers. */
    public void restart() throws IOException, InterruptedException {
        kill();
        start();
        awaitShell();
    }

    /** Runs lines of shell commands, as an operator's script does. */
    public Programs.Result shell(String... lines) throws IOException, InterruptedException {
        return Programs.run(home, environment, PATIENCE, String.join("\n", lines) + "\n", List.of("bin/client", "-b"));
    }

    /** A connection to a TPM that is served on a port, as soon as it is. */
    public SocketTpm connect(int port) throws InterruptedException {
        SocketTpm[] connected = new SocketTpm[1];
        Wait.until("port " + port + " is served; see " + home.resolve("data/log/karaf.log"), PATIENCE, () -> {
            connected[0] = SocketTpm.tcp(port);
            return true;
        });
        return connected[0];
    }

    /** SIGKILL, as by a power failure. */
    public void kill() throws InterruptedException {
        Programs.kill(process);
    }

    /** The process id of its JVM. */
    public long pid() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .filter(each -> each.info().command().orElse("").endsWith("/java"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("Karaf's JVM does not run"))
                .pid();
    }

    String log() throws IOException {
        return Files.readString(home.resolve("data/log/karaf.log"));
    }

    private void awaitShell() throws InterruptedException {
        Wait.until("the shell answers", PATIENCE, () -> shell("vtpm:list").exit() == 0);
    }

    @Override
    public void close() {
        try {
            kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
