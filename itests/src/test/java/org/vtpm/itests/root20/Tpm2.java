package org.vtpm.itests.root20;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vtpm.itests.process.Programs;
import org.vtpm.itests.process.Wait;

/** Debian's swtpm as a TPM 2.0, and tpm2-tools to look into it. */
final class Tpm2 implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int ATTEMPTS = 20;

    private final Path folder;
    private final int port;
    private Process process;

    private Tpm2(Path folder, int port, Process process) {
        this.folder = folder;
        this.port = port;
        this.process = process;
    }

    /** Powers one on with the state in the folder, or factory-new if there is none. */
    static Tpm2 start(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        int port = twoFreePorts();
        Tpm2 tpm = new Tpm2(folder, port, null);
        tpm.powerOn();
        return tpm;
    }

    int port() {
        return port;
    }

    String place() {
        return "tcp:127.0.0.1:" + port;
    }

    Path folder() {
        return folder;
    }

    /** The host goes off and on: PCRs start anew. */
    void restart() throws IOException, InterruptedException {
        close();
        powerOn();
    }

    private void powerOn() throws IOException, InterruptedException {
        process = Programs.start(
                folder,
                folder.resolve("swtpm.log"),
                List.of(
                        "swtpm",
                        "socket",
                        "--tpm2",
                        "--tpmstate",
                        "dir=" + folder,
                        "--server",
                        "type=tcp,bindaddr=127.0.0.1,port=" + port,
                        "--ctrl",
                        "type=tcp,bindaddr=127.0.0.1,port=" + (port + 1),
                        "--flags",
                        "not-need-init,startup-clear"));
        try {
            Wait.until("swtpm serves port " + port, PATIENCE, () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("swtpm ended: " + Files.readString(folder.resolve("swtpm.log")));
                }
                new Socket(InetAddress.getLoopbackAddress(), port).close();
                return true;
            });
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** Runs one of tpm2-tools, which has to succeed. */
    String tool(String... command) throws IOException, InterruptedException {
        Programs.Result result = tryTool(command);
        assertThat(result.exit())
                .as(String.join(" ", command) + "\n" + result.output())
                .isZero();
        return result.output();
    }

    Programs.Result tryTool(String... command) throws IOException, InterruptedException {
        return Programs.run(
                folder,
                Map.of("TPM2TOOLS_TCTI", "swtpm:host=127.0.0.1,port=" + port),
                PATIENCE,
                "",
                Arrays.asList(command));
    }

    void extend(int pcr, String what) throws IOException, InterruptedException {
        tool("tpm2_pcrextend", pcr + ":sha256=" + sha256(what));
    }

    /** The value of a PCR after one {@link #extend}, if it was zero before. */
    static String extended(String what) {
        byte[] both = new byte[64];
        System.arraycopy(HexFormat.of().parseHex(sha256(what)), 0, both, 32, 32);
        return sha256(both);
    }

    /** What is loaded and was not made persistent. */
    List<String> leftovers() throws IOException, InterruptedException {
        List<String> found = new ArrayList<>();
        for (String kind : new String[] {"handles-transient", "handles-loaded-session", "handles-saved-session"}) {
            tool("tpm2_getcap", kind)
                    .lines()
                    .filter(line -> line.contains("0x"))
                    .forEach(found::add);
        }
        return found;
    }

    /** Frees what somebody else's interference left. */
    void flush() throws IOException, InterruptedException {
        tool("tpm2_flushcontext", "-t");
        tool("tpm2_flushcontext", "-l");
    }

    int lockoutCounter() throws IOException, InterruptedException {
        Matcher counter = Pattern.compile("TPM2_PT_LOCKOUT_COUNTER: 0x([0-9A-Fa-f]+)")
                .matcher(tool("tpm2_getcap", "properties-variable"));
        assertThat(counter.find()).isTrue();
        return Integer.parseInt(counter.group(1), 16);
    }

    static String sha256(String what) {
        return sha256(what.getBytes(UTF_8));
    }

    private static String sha256(byte[] what) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(what));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static int twoFreePorts() throws IOException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try (ServerSocket first = new ServerSocket(0);
                    ServerSocket second = new ServerSocket(first.getLocalPort() + 1)) {
                return second.getLocalPort() - 1;
            } catch (IOException e) {
                // The port after a free one is taken: another try.
            }
        }
        throw new IOException("no two free ports in a row");
    }

    /** Power off. */
    @Override
    public void close() {
        Programs.end(process);
    }
}
