package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.fake.FakeManager;

/** What the QEMU of an HVM guest sees. */
@Timeout(60)
class HvmSocketsTest {
    private static final int FAIL = 9;
    private static final int BAD_PARAM_SIZE = 0x19;
    private static final int BADTAG = 0x1E;
    private static final int BAD_LOCALITY = 0x3D;
    private static final URI ENDPOINT = URI.create("hvm:5");
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(300);

    /** A QEMU with a plain blocking socket. */
    private static final class Qemu implements AutoCloseable {
        private final SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);

        Qemu(Path path) throws IOException {
            socket.connect(UnixDomainSocketAddress.of(path));
        }

        void write(byte[] bytes) throws IOException {
            socket.write(ByteBuffer.wrap(bytes));
        }

        ByteBuffer read() throws IOException {
            ByteBuffer header = read(Frame.MIN);
            ByteBuffer body = read(header.getInt(6) - Frame.HEADER);
            return ByteBuffer.allocate(header.limit() + body.limit())
                    .put(header)
                    .put(body)
                    .flip();
        }

        private ByteBuffer read(int count) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(count);
            while (bytes.hasRemaining()) {
                if (socket.read(bytes) < 0) {
                    throw new EOFException("hung up");
                }
            }
            return bytes.flip();
        }

        /** Sends a command and answers the sum, or the return code if it is an error. */
        int ask(int locality, byte[] frame) throws IOException {
            byte[] sent = frame.clone();
            sent[0] |= (byte) (locality << 5);
            write(sent);
            ByteBuffer answer = read();
            assertThat(answer.getInt(0)).isEqualTo(ByteBuffer.wrap(sent).getInt());
            return answer.getInt(10) == 0 ? answer.getInt(14) : answer.getInt(10);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @TempDir
    private Path parent;

    private Path folder;
    private HvmSockets sockets;
    private FakeManager.Instance instance;

    @BeforeEach
    void start() throws Exception {
        folder = parent.resolve("vtpm/socks");
        instance = new FakeManager().running("guest", URI.create("legacy:5"));
        serve(LONG);
    }

    private void serve(Duration commandTimeout) throws IOException {
        sockets = new HvmSockets(() -> folder, commandTimeout);
        sockets.open(ENDPOINT, instance);
    }

    private void serveWith(Duration commandTimeout) throws IOException {
        sockets.deactivate();
        serve(commandTimeout);
    }

    @AfterEach
    void stop() {
        sockets.deactivate();
    }

    private Qemu connect() throws IOException {
        return new Qemu(folder.resolve("5.socket"));
    }

    private static byte[] add(int... values) {
        return FifoPeer.frame(5, FifoPeer.add(values));
    }

    @Test
    void theLocalityIsInThePrefix() throws Exception {
        try (Qemu qemu = connect()) {
            for (int locality = 0; locality <= 4; locality++) {
                assertThat(qemu.ask(locality, add(1))).isEqualTo(locality + 1);
            }
            assertThat(instance.localities()).containsExactly(0, 1, 2, 3, 4);
            for (int locality = 5; locality <= 7; locality++) {
                assertThat(qemu.ask(locality, add(1))).isEqualTo(BAD_LOCALITY);
            }
            assertThat(qemu.ask(0, add())).isEqualTo(5);
        }
    }

    @Test
    void whatCannotReachTheTpmIsAnswered() throws Exception {
        try (Qemu qemu = connect()) {
            assertThat(qemu.ask(0, FifoPeer.frame(6, FifoPeer.add(1)))).isEqualTo(FAIL);
            for (int tag : new int[] {0x01C1, 0x01C2}) {
                byte[] order = FifoPeer.close(5);
                ByteBuffer.wrap(order).putInt(0, 5).putShort(4, (short) tag);
                assertThat(qemu.ask(0, order)).isEqualTo(BADTAG);
            }
            assertThat(qemu.ask(0, add(3))).isEqualTo(3);
        }
    }

    @Test
    void commandsMayComeInPiecesAndTogether() throws Exception {
        byte[] frame = add(1, 2, 3);
        try (Qemu qemu = connect()) {
            for (byte b : frame) {
                qemu.write(new byte[] {b});
            }
            assertThat(qemu.read().getInt(14)).isEqualTo(6);
            qemu.write(
                    ByteBuffer.allocate(2 * frame.length).put(frame).put(frame).array());
            assertThat(qemu.read().getInt(14)).isEqualTo(12);
            assertThat(qemu.read().getInt(14)).isEqualTo(18);
            byte[] longest = FifoPeer.frame(5, FifoPeer.command(FakeManager.STORE | FakeManager.LONG, new int[4086]));
            qemu.write(longest);
            assertThat(qemu.read().limit()).isEqualTo(4100);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 4097, -1})
    void aSizeThatNoCommandHasIsAnsweredAndHungUpOn(int size) throws Exception {
        try (Qemu qemu = connect()) {
            byte[] bad = add(1, 2, 3);
            ByteBuffer.wrap(bad).putInt(6, size);
            assertThat(qemu.ask(2, bad)).isEqualTo(BAD_PARAM_SIZE);
            assertThatThrownBy(qemu::read).isInstanceOf(IOException.class);
        }
        try (Qemu next = connect()) {
            assertThat(next.ask(0, add(3))).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 9, 10, 14, 16})
    void aCommandThatStopsHalfwayIsAnsweredAndHungUpOn(int sent) throws Exception {
        serveWith(SHORT);
        try (Qemu qemu = connect()) {
            assertThat(qemu.ask(0, add(1))).isEqualTo(1);
            long begun = System.nanoTime();
            qemu.write(Arrays.copyOf(add(1, 2, 3), sent));
            ByteBuffer answer = qemu.read();
            assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(SHORT.toNanos());
            assertThat(answer.getInt(0)).isEqualTo(5);
            assertThat(answer.getInt(10)).isEqualTo(BAD_PARAM_SIZE);
            assertThatThrownBy(qemu::read).isInstanceOf(EOFException.class);
        }
        try (Qemu next = connect()) {
            assertThat(next.ask(0, add(3))).isEqualTo(4);
        }
    }

    @Test
    void aPrefixThatStopsHalfwayIsHungUpOnWithoutAnAnswer() throws Exception {
        serveWith(SHORT);
        try (Qemu qemu = connect()) {
            qemu.write(new byte[3]);
            assertThatThrownBy(qemu::read).isInstanceOf(EOFException.class);
        }
        try (Qemu next = connect()) {
            assertThat(next.ask(0, add(3))).isEqualTo(3);
        }
    }

    @Test
    void aQemuMayTakeItsTimeBetweenCommandsAndGoOnSlowlyInThem() throws Exception {
        serveWith(Duration.ofSeconds(2));
        try (Qemu qemu = connect()) {
            assertThat(qemu.ask(0, add(1))).isEqualTo(1);
            Thread.sleep(2500);
            for (byte b : add(1)) {
                qemu.write(new byte[] {b});
                Thread.sleep(200);
            }
            assertThat(qemu.read().getInt(14)).isEqualTo(2);
        }
    }

    @Test
    void aTpmMayTakeLongerThanItsQemu() throws Exception {
        FakeManager manager = new FakeManager();
        serveWith(SHORT);
        sockets.open(URI.create("hvm:6"), manager.running("slow", URI.create("legacy:6")));
        try (Qemu qemu = new Qemu(folder.resolve("6.socket"))) {
            qemu.write(FifoPeer.frame(6, FifoPeer.command(FakeManager.STORE | FakeManager.SLOW, 1)));
            Thread.sleep(3 * SHORT.toMillis());
            manager.slow.remove().run();
            assertThat(qemu.read().getInt(14)).isEqualTo(1);
            assertThat(qemu.ask(0, FifoPeer.frame(6, FifoPeer.add(1)))).isEqualTo(2);
        }
    }

    @Test
    void aQemuThatDoesNotTakeItsAnswersIsHungUpOn() throws Exception {
        serveWith(SHORT);
        byte[] frame = FifoPeer.frame(5, FifoPeer.command(FakeManager.STORE | FakeManager.LONG, 1));
        try (Qemu qemu = connect()) {
            qemu.socket.configureBlocking(false);
            long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            assertThatThrownBy(() -> {
                        while (System.nanoTime() - end < 0) {
                            qemu.write(frame);
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
        assertThat(askAnew()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 3601})
    void theTimeForTheRestOfACommandHasLimits(int seconds) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LegacyListener.commandTimeout(seconds))
                .withMessageContaining("from 1 to 3600");
        assertThat(LegacyListener.commandTimeout(5)).hasSeconds(5);
    }

    @Test
    void aSecondQemuIsHungUpOnUntilTheFirstIsGone() throws Exception {
        try (Qemu first = connect()) {
            assertThat(first.ask(0, add(1))).isEqualTo(1);
            try (Qemu second = connect()) {
                assertThatThrownBy(second::read).isInstanceOf(IOException.class);
            }
            assertThat(first.ask(0, add(1))).isEqualTo(2);
        }
        assertThat(askAnew()).isEqualTo(3);
    }

    /** The listener may not have noticed yet that the first one is gone. */
    private int askAnew() throws Exception {
        for (int attempt = 0; ; attempt++) {
            try (Qemu qemu = connect()) {
                return qemu.ask(0, add(1));
            } catch (IOException e) {
                if (attempt == 100) {
                    throw e;
                }
                Thread.sleep(20);
            }
        }
    }

    @Test
    void aSlowTpmHoldsUpNoOtherGuest() throws Exception {
        FakeManager manager = new FakeManager();
        FakeManager.Instance slow = manager.running("slow", URI.create("legacy:6"));
        sockets.open(URI.create("hvm:6"), slow);
        try (Qemu waiting = new Qemu(folder.resolve("6.socket"));
                Qemu qemu = connect()) {
            waiting.write(FifoPeer.frame(6, FifoPeer.command(FakeManager.STORE | FakeManager.SLOW, 1)));
            assertThat(qemu.ask(0, add(2))).isEqualTo(2);
            while (manager.slow.isEmpty()) {
                Thread.onSpinWait();
            }
            manager.slow.remove().run();
            assertThat(waiting.read().getInt(14)).isEqualTo(1);
        }
    }

    @Test
    void closingHangsUpAndRemovesTheSocket() throws Exception {
        try (Qemu qemu = connect()) {
            assertThat(qemu.ask(0, add(1))).isEqualTo(1);
            sockets.close(ENDPOINT);
            assertThatThrownBy(qemu::read).isInstanceOf(IOException.class);
            assertThat(folder.resolve("5.socket")).doesNotExist();
            sockets.close(ENDPOINT);
        }
        sockets.open(ENDPOINT, instance);
        try (Qemu qemu = connect()) {
            assertThat(qemu.ask(0, add(1))).isEqualTo(2);
        }
    }

    @Test
    void whatWasLeftOverIsReplacedAndWhatIsUsedIsNot() throws Exception {
        assertThatThrownBy(() -> new HvmSockets(() -> folder, LONG).open(ENDPOINT, instance))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is in use");
        try (var left = java.nio.channels.ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            left.bind(UnixDomainSocketAddress.of(folder.resolve("7.socket")));
        }
        sockets.open(URI.create("hvm:7"), instance);
        Files.writeString(folder.resolve("8.socket"), "precious");
        assertThatThrownBy(() -> sockets.open(URI.create("hvm:8"), instance)).hasMessageContaining("is not a socket");
        assertThat(folder.resolve("8.socket")).hasContent("precious");
        assertThatThrownBy(() -> sockets.open(ENDPOINT, instance)).hasMessageContaining("already served");
    }

    @Test
    void folderAndSocketsAreForTheirOwnerAlone() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("5.socket"))))
                .isEqualTo("rw-------");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hvm:0", "hvm:536870912", "hvm:05", "hvm:-1", "hvm:1#a", "hvm:/1", "legacy:1"})
    void whateverLeavesNoRoomForTheLocalityIsRefusedWithAnExample(String uri) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> sockets.check(URI.create(uri)))
                .withMessageContaining("such as hvm:1");
        sockets.check(URI.create("hvm:536870911"));
    }
}
