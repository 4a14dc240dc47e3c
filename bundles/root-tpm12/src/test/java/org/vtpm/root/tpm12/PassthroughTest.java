package org.vtpm.root.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;

class PassthroughTest {
    private static final String GET_RANDOM = "00C10000000E0000004600000004";
    private static final String RESPONSE = "00c4000000120000000000000004cafebabe";

    @TempDir
    private Path folder;

    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
    private ServerSocketChannel server;
    private HostTpm host;

    /** A TPM that has one answer to everything. */
    @BeforeEach
    void start() throws Exception {
        Path path = folder.resolve("tpm");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        Thread tpm = new Thread(this::serve);
        tpm.setDaemon(true);
        tpm.start();
        host = new HostTpm(TpmPlace.parse("unix:" + path), Duration.ofSeconds(10));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private void serve() {
        try {
            while (true) {
                try (SocketChannel guest = server.accept()) {
                    ByteBuffer in = ByteBuffer.allocate(4096);
                    guest.read(in);
                    seen.add(HexFormat.of().withUpperCase().formatHex(in.array(), 0, in.position()));
                    guest.write(ByteBuffer.wrap(HexFormat.of().parseHex(RESPONSE)));
                }
            }
        } catch (java.io.IOException e) {
            // The test is over.
        }
    }

    private HostTpmCommands allowing(HarmlessCommand... commands) {
        return new Passthrough(host, Set.copyOf(Arrays.asList(commands)));
    }

    private static String answer(HostTpmCommands commands, String hex) throws RootOfTrustException {
        return HexFormat.of().formatHex(commands.execute(HexFormat.of().parseHex(hex)));
    }

    @Test
    void whatIsAllowedGoesOutAndComesBackByteByByte() throws Exception {
        HostTpmCommands commands = allowing(HarmlessCommand.GET_RANDOM);
        assertThat(answer(commands, GET_RANDOM)).isEqualTo(RESPONSE);
        assertThat(answer(commands, GET_RANDOM)).isEqualTo(RESPONSE);
        assertThat(seen).containsExactly(GET_RANDOM, GET_RANDOM);
    }

    @ParameterizedTest
    @CsvSource({
        "00C10000000E0000001500000000, 00000008",
        "00C10000000A0000005D, 00000008",
        "00C10000000E4600000000000004, 00000008",
        "00C20000000E0000004600000004, 0000001e",
        "01C10000000E0000004600000004, 0000001e",
        "80010000000E0000004600000004, 0000001e",
        "00C10000000F0000004600000004, 00000019",
        "00C10000000D0000004600000004, 00000019",
        "00C1, 00000019",
        "'', 00000019",
    })
    void everythingElseIsAnsweredHere(String command, String code) throws Exception {
        assertThat(answer(allowing(HarmlessCommand.GET_RANDOM), command)).isEqualTo("00c40000000a" + code);
        assertThat(seen).isEmpty();
    }

    @Test
    void anEmptyListAllowsNothing() throws Exception {
        assertThat(answer(allowing(), GET_RANDOM)).endsWith("00000008");
        assertThat(seen).isEmpty();
    }

    @Test
    void aTpmThatIsNotThereIsTold() throws Exception {
        stop();
        assertThatThrownBy(() -> answer(allowing(HarmlessCommand.GET_RANDOM), GET_RANDOM))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("cannot be reached");
    }

    @Test
    void theListIsOfNames() {
        assertThat(HarmlessCommand.parse("GetRandom, PCRRead"))
                .containsExactlyInAnyOrder(HarmlessCommand.GET_RANDOM, HarmlessCommand.PCR_READ);
        assertThat(HarmlessCommand.parse(" ")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Extend", "getrandom", "0x46", "GetRandom PCRRead", "OwnerClear"})
    void whatIsNotHarmlessIsRefusedByName(String name) {
        assertThatThrownBy(() -> HarmlessCommand.parse("GetRandom," + name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"passthrough\" of org.vtpm.root.tpm12 has \"" + name + "\"")
                .hasMessageContaining("GetRandom");
    }
}
