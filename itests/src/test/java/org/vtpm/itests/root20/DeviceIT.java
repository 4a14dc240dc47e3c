package org.vtpm.itests.root20;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.itests.process.Programs;
import org.vtpm.itests.process.Wait;

/** The root of trust on a character device: a terminal in raw mode, with swtpm behind it. */
class DeviceIT {
    private static final String BRIDGE = """
            import os, pty, select, socket, sys, tty
            device, end = pty.openpty()
            tty.setraw(end)
            tpm = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            os.symlink(os.ttyname(end), sys.argv[2])
            while True:
                ready, _, _ = select.select([device, tpm], [], [])
                if device in ready:
                    tpm.sendall(os.read(device, 4096))
                if tpm in ready:
                    data = tpm.recv(4096)
                    if not data:
                        break
                    os.write(device, data)
            """;

    @TempDir
    private Path folder;

    @Test
    void sealsAndCountsOnADevice() throws Exception {
        byte[] secret = "the host's secret".getBytes(UTF_8);
        Path device = folder.resolve("tpmrm0");
        try (Tpm2 tpm = Tpm2.start(folder.resolve("tpm"))) {
            Process bridge = Programs.start(
                    folder,
                    folder.resolve("bridge.log"),
                    List.of("python3", "-c", BRIDGE, String.valueOf(tpm.port()), device.toString()));
            try {
                Wait.until("there is " + device, () -> Files.exists(device));
                RootOfTrust root = Roots.at("device:" + device);
                for (int i = 0; i < 3; i++) {
                    assertThat(root.unseal(root.seal(secret, SealingTerms.NONE)))
                            .isEqualTo(secret);
                }
                MonotonicCounters counters = root.counters().orElseThrow();
                byte[] counterSecret = new byte[MonotonicCounters.SECRET_LENGTH];
                byte[] counter = counters.create(counterSecret, new byte[0]);
                long value = counters.read(counter, counterSecret);
                assertThat(counters.increment(counter, counterSecret)).isEqualTo(value + 1);
            } finally {
                Programs.end(bridge);
            }
            assertThat(tpm.leftovers()).isEmpty();
        }
    }
}
