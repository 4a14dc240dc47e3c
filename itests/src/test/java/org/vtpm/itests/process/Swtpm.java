package org.vtpm.itests.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.vtpm.itests.tpm12.SocketTpm;

/** Debian's swtpm as a TPM 1.2, the reference: a process with its state in a folder. */
public final class Swtpm implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final String CONTROL = "control.sock";

    private final Path folder;
    private final SocketAddress data;
    private final Process process;

    private Swtpm(Path folder, SocketAddress data, Process process) {
        this.folder = folder;
        this.data = data;
        this.process = process;
    }

    /**
     * Powers it on with the state in the folder, or factory-new if there is none. It waits for its Startup command.
     *
     * @param options more of the program's own
     */
    public static Swtpm start(Path folder, String... options) throws IOException, InterruptedException {
        Path socket = folder.resolve("data.sock");
        Files.deleteIfExists(socket);
        return start(folder, "type=unixio,path=" + socket, UnixDomainSocketAddress.of(socket), options);
    }

    /** The same, served on a TCP port of the loopback interface. */
    public static Swtpm startTcp(Path folder, int port, String... options) throws IOException, InterruptedException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        String server = "type=tcp,bindaddr=" + loopback.getHostAddress() + ",port=" + port;
        return start(folder, server, new InetSocketAddress(loopback, port), options);
    }

    private static Swtpm start(Path folder, String server, SocketAddress data, String... options)
            throws IOException, InterruptedException {
        Files.createDirectories(folder);
        List<String> command = List.of(
                "swtpm",
                "socket",
                "--tpmstate",
                "dir=" + folder,
                "--server",
                server,
                "--ctrl",
                "type=unixio,path=" + folder.resolve(CONTROL),
                "--flags",
                "not-need-init");
        Process process = Programs.start(
                folder,
                folder.resolve("swtpm.log"),
                Stream.concat(command.stream(), Stream.of(options)).toList());
        Swtpm swtpm = new Swtpm(folder, data, process);
        try {
            Wait.until("swtpm serves " + data, PATIENCE, () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("swtpm ended: " + Files.readString(folder.resolve("swtpm.log")));
                }
                swtpm.connect().close();
                return true;
            });
            return swtpm;
        } catch (Throwable e) {
            swtpm.close();
            throw e;
        }
    }

    /** A new connection; it serves one at a time. */
    public SocketTpm connect() throws IOException {
        return SocketTpm.to(data);
    }

    /** A connection to its control channel; it serves one at a time. */
    public SwtpmControl control() throws IOException {
        return new SwtpmControl(folder.resolve(CONTROL));
    }

    /**
     * Exports a state with swtpm's own program.
     *
     * @param state {@code permanent}, {@code volatile} or {@code savestate}
     */
    public void save(String state, Path file) throws IOException, InterruptedException {
        List<String> command =
                List.of("swtpm_ioctl", "--unix", folder.resolve(CONTROL).toString(), "--save", state, file.toString());
        Programs.Result saved = Programs.run(folder, Map.of(), PATIENCE, "", command);
        if (saved.exit() != 0) {
            throw new IOException(String.join(" ", command) + ": " + saved.output());
        }
    }

    /** Where it keeps its state. */
    public Path folder() {
        return folder;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Power off. */
    /** The time that processors worked for it. */
    public Duration processorTime() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    @Override
    public void close() {
        Programs.end(process);
    }
}
