package org.vtpm.itests.root12;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.vtpm.itests.process.Programs;
import org.vtpm.itests.process.Wait;

/** Debian's swtpm as a host's TPM 1.2. */
final class SwtpmChip implements Chip {
    private final Path folder;
    private final int port;
    private final List<String> options;
    private Process process;

    private SwtpmChip(Path folder, int port, List<String> options) {
        this.folder = folder;
        this.port = port;
        this.options = options;
    }

    /** @param options more of the program's own */
    static SwtpmChip start(Path folder, String... options) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        SwtpmChip chip = new SwtpmChip(folder, Ports.free(), List.of(options));
        chip.powerOn();
        return chip;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void restart() throws IOException, InterruptedException {
        close();
        powerOn();
    }

    @Override
    public void close() {
        Programs.end(process);
    }

    private void powerOn() throws IOException, InterruptedException {
        List<String> command = List.of(
                "swtpm",
                "socket",
                "--tpmstate",
                "dir=" + folder,
                "--server",
                "type=tcp,bindaddr=127.0.0.1,port=" + port,
                "--ctrl",
                "type=unixio,path=" + folder.resolve("control.sock"),
                "--flags",
                "not-need-init,startup-clear");
        process = Programs.start(
                folder,
                folder.resolve("swtpm.log"),
                Stream.concat(command.stream(), options.stream()).toList());
        Wait.until("swtpm serves port " + port, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("swtpm ended: " + Files.readString(folder.resolve("swtpm.log")));
            }
            new Socket(InetAddress.getLoopbackAddress(), port).close();
            return true;
        });
    }
}
