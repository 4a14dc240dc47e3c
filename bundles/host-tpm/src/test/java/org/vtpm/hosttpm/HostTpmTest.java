package org.vtpm.hosttpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostTpmTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final byte[] COMMAND = HexFormat.of().parseHex("80010000000c0000014400ff");
    private static final byte[] RESPONSE = HexFormat.of().parseHex("80010000000e00000000cafebabe");

    /** What a TPM does on a connection. */
    @FunctionalInterface
    private interface Behaviour {
        void serve(SocketChannel guest) throws Exception;
    }

    @TempDir
    private Path folder;

    private ServerSocketChannel server;

    @AfterEach
    void stop() throws IOException {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void aCommandGoesOutWholeAndItsResponseComesBack() throws Exception {
        HostTpm tpm = new HostTpm(serve(HostTpmTest::answer), LONG);
        for (int sequence = 0; sequence < 3; sequence++) {
            try (TpmConnection connection = tpm.open()) {
                assertThat(connection.transmit(COMMAND)).isEqualTo(RESPONSE);
                assertThat(connection.transmit(COMMAND)).isEqualTo(RESPONSE);
            }
        }
    }

    @Test
    void tcpServesAsWell() throws Exception {
        serve(ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)), guest -> {
            answer(guest);
        });
        int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
        HostTpm tpm = new HostTpm(TpmPlace.parse("tcp:127.0.0.1:" + port), LONG);
        assertThat(tpm.trouble()).isEmpty();
        try (TpmConnection connection = tpm.open()) {
            assertThat(connection.transmit(COMMAND)).isEqualTo(RESPONSE);
        }
    }

    @Test
    void aResponseMayComeByteByByte() throws Exception {
        HostTpm tpm = new HostTpm(
                serve(guest -> {
                    read(guest, COMMAND.length);
                    for (byte each : RESPONSE) {
                        guest.write(ByteBuffer.wrap(new byte[] {each}));
                        Thread.sleep(1);
                    }
                    read(guest, 1);
                }),
                LONG);
        try (TpmConnection connection = tpm.open()) {
            assertThat(connection.transmit(COMMAND)).isEqualTo(RESPONSE);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"80010000000900000000", "80010000100100000000", "8001ffffffff00000000", "80010000000a0000000000"
            })
    void aSizeThatNoResponseHasIsRefused(String response) throws Exception {
        HostTpm tpm = new HostTpm(
                serve(guest -> {
                    read(guest, COMMAND.length);
                    guest.write(ByteBuffer.wrap(HexFormat.of().parseHex(response)));
                    read(guest, 1);
                }),
                LONG);
        try (TpmConnection connection = tpm.open()) {
            assertThatThrownBy(() -> connection.transmit(COMMAND))
                    .isInstanceOf(HostTpmException.class)
                    .hasMessageContaining("does not answer as a TPM does")
                    .hasMessageContaining("unix:" + folder);
            assertThatThrownBy(() -> connection.transmit(COMMAND)).hasMessageContaining("failed before");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 9, 10, 13})
    void aTpmThatGoesAwayIsToldAndFoundAgain(int sent) throws Exception {
        HostTpm tpm = new HostTpm(
                serve(guest -> {
                    read(guest, COMMAND.length);
                    guest.write(ByteBuffer.wrap(RESPONSE, 0, sent));
                }),
                LONG);
        try (TpmConnection connection = tpm.open()) {
            assertThatThrownBy(() -> connection.transmit(COMMAND))
                    .isInstanceOf(HostTpmException.class)
                    .hasMessageContaining("went away in the middle of a command");
        }
        server.close();
        Files.delete(folder.resolve("tpm"));
        serve(HostTpmTest::answer);
        try (TpmConnection connection = tpm.open()) {
            assertThat(connection.transmit(COMMAND)).isEqualTo(RESPONSE);
        }
    }

    @Test
    void aSilentTpmIsGivenUp() throws Exception {
        HostTpm tpm = new HostTpm(serve(guest -> read(guest, 1000)), SHORT);
        for (int sequence = 0; sequence < 2; sequence++) {
            try (TpmConnection connection = tpm.open()) {
                assertThatThrownBy(() -> connection.transmit(COMMAND))
                        .isInstanceOf(HostTpmException.class)
                        .hasMessageContaining("did not answer within");
            }
        }
    }

    @Test
    void oneSequenceAtATime() throws Exception {
        HostTpm tpm = new HostTpm(serve(HostTpmTest::answer), LONG);
        CompletableFuture<byte[]> second;
        CountDownLatch started = new CountDownLatch(1);
        try (TpmConnection first = tpm.open()) {
            second = CompletableFuture.supplyAsync(() -> {
                started.countDown();
                try (TpmConnection connection = tpm.open()) {
                    return connection.transmit(COMMAND);
                } catch (HostTpmException e) {
                    throw new IllegalStateException(e);
                }
            });
            started.await();
            for (int i = 0; i < 20; i++) {
                first.transmit(COMMAND);
                assertThat(second).isNotDone();
            }
        }
        assertThat(second.get()).isEqualTo(RESPONSE);
    }

    @Test
    void whereNothingIsOperatorsReadWhatToDo() throws Exception {
        for (String place : new String[] {"device:" + folder.resolve("none"), "unix:" + folder.resolve("none")}) {
            HostTpm tpm = new HostTpm(TpmPlace.parse(place), LONG);
            assertThat(tpm.trouble())
                    .hasValueSatisfying(told -> assertThat(told)
                            .contains("there is no TPM at " + place)
                            .contains("configure another place"));
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(tpm::open)
                        .isInstanceOf(HostTpmException.class)
                        .hasMessageContaining("there is no TPM");
            }
        }
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        HostTpm tpm = new HostTpm(TpmPlace.parse("tcp:127.0.0.1:" + free), LONG);
        assertThatThrownBy(tpm::open).isInstanceOf(HostTpmException.class).hasMessageContaining("start what serves");
        assertThat(new HostTpm(TpmPlace.parse("tcp:192.0.2.1:2321"), LONG).trouble())
                .hasValueSatisfying(told -> assertThat(told).contains("another host"));
    }

    private TpmPlace serve(Behaviour behaviour) throws IOException {
        SocketAddress address = UnixDomainSocketAddress.of(folder.resolve("tpm"));
        serve(ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address), behaviour);
        return TpmPlace.parse("unix:" + folder.resolve("tpm"));
    }

    private void serve(ServerSocketChannel listening, Behaviour behaviour) {
        server = listening;
        Thread thread = new Thread(() -> {
            while (listening.isOpen()) {
                try (SocketChannel guest = listening.accept()) {
                    behaviour.serve(guest);
                } catch (Exception e) {
                    // The guest or the test ended.
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static void answer(SocketChannel guest) throws IOException {
        while (true) {
            if (!Arrays.equals(read(guest, COMMAND.length), COMMAND)) {
                throw new IOException("another command");
            }
            guest.write(ByteBuffer.wrap(RESPONSE));
        }
    }

    private static byte[] read(SocketChannel guest, int length) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(length);
        while (in.hasRemaining()) {
            if (guest.read(in) < 0) {
                throw new IOException("the guest went");
            }
        }
        return in.array();
    }
}
