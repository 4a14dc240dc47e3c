package org.vtpm.root.tpm20;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;

class PassthroughTest {
    private static final int MOST_AT_ONCE = 32;

    @TempDir
    private Path folder;

    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
    private int mostAtOnce = MOST_AT_ONCE;
    private ServerSocketChannel server;
    private HostTpmCommands commands;

    @BeforeEach
    void start() throws Exception {
        Path path = folder.resolve("tpm");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        Thread tpm = new Thread(this::serve);
        tpm.setDaemon(true);
        tpm.start();
        commands = new Passthrough(
                new Sequences(new HostTpm(TpmPlace.parse("unix:" + path), Duration.ofSeconds(10)), new SecureRandom()));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    /** A TPM whose random numbers are all 7, and that gives no more than a digest of them at once. */
    private void serve() {
        try {
            while (true) {
                try (SocketChannel guest = server.accept()) {
                    ByteBuffer in = ByteBuffer.allocate(12);
                    while (guest.read(in.clear()) == 12) {
                        seen.add(HexFormat.of().formatHex(in.array()));
                        int count = Math.min(in.getShort(10), mostAtOnce);
                        ByteBuffer out = ByteBuffer.allocate(12 + count)
                                .putShort((short) 0x8001)
                                .putInt(12 + count)
                                .putInt(0)
                                .putShort((short) count);
                        while (out.hasRemaining()) {
                            out.put((byte) 7);
                        }
                        guest.write(out.flip());
                    }
                }
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    private String answer(String hex) throws RootOfTrustException {
        return HexFormat.of().formatHex(commands.execute(HexFormat.of().parseHex(hex)));
    }

    @Test
    void getRandomIsTranslatedAndFilledUp() throws Exception {
        assertThat(answer("00c10000000e0000004600000028"))
                .isEqualTo("00c4000000360000000000000028" + "07".repeat(0x28));
        assertThat(seen).containsExactly("80010000000c0000017b0028", "80010000000c0000017b0008");
    }

    @Test
    void thereIsAMost() throws Exception {
        assertThat(answer("00c10000000e00000046ffffffff"))
                .isEqualTo("00c40000010e0000000000000100" + "07".repeat(Passthrough.MOST_RANDOM));
        assertThat(answer("00c10000000e0000004600000000")).isEqualTo("00c40000000e0000000000000000");
    }

    @Test
    void aTpmThatGivesNothingIsNotAskedForGood() {
        mostAtOnce = 0;
        assertThatThrownBy(() -> answer("00c10000000e0000004600000004"))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("gives no random numbers");
    }

    @ParameterizedTest
    @CsvSource({
        "00c10000000e0000001500000000, 00000008",
        "00c10000000a0000005d, 00000008",
        "80010000000c0000017b0008, 0000001e",
        "01c10000000e0000004600000004, 0000001e",
        "00c10000000a00000046, 00000019",
        "00c10000000f0000004600000004, 00000019",
        "00c1, 00000019",
    })
    void everythingElseIsRefused(String command, String code) throws Exception {
        assertThat(answer(command)).isEqualTo("00c40000000a" + code);
        assertThat(seen).isEmpty();
    }
}
