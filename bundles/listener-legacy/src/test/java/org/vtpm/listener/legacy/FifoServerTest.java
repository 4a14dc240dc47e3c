package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;

/** What Xen's kernel and scripts see in the real FIFOs. */
@Timeout(60)
class FifoServerTest {
    private static final Duration FRAME_TIMEOUT = Duration.ofMillis(200);
    private static final int SUCCESS = 0;
    private static final int BAD_PARAMETER = 3;
    private static final int DISABLED_CMD = 8;
    private static final int FAIL = 9;
    private static final int BAD_PARAM_SIZE = 0x19;
    private static final int BADTAG = 0x1E;

    private static final Posix POSIX = Posix.load();

    @TempDir
    Path parent;

    private final LegacyEndpoints endpoints = new LegacyEndpoints();
    private final FakeManager manager = new FakeManager(endpoints);
    private HostTpmCommands hostTpm;
    private Path folder;
    private Console consoleSide;
    private FifoServer server;
    private FifoPeer backend;
    private FifoPeer console;

    @BeforeEach
    void start() throws IOException {
        folder = parent.resolve("vtpm/fifos");
        startServer();
        backend = new FifoPeer(folder, LegacyListener.BACKEND);
        console = new FifoPeer(folder, LegacyListener.CONSOLE);
    }

    @AfterEach
    void stop() throws IOException {
        stopServer();
        backend.close();
        console.close();
    }

    private void startServer() throws IOException {
        consoleSide = new Console(new Hotplug(manager), new TpmPassthrough(() -> hostTpm));
        server = LegacyListener.start(POSIX, folder, endpoints, consoleSide, FRAME_TIMEOUT);
    }

    private void stopServer() {
        consoleSide.close();
        server.close();
    }

    private void open(int instance) throws IOException {
        assertThat(console.ask(FifoPeer.open(instance)).code()).isEqualTo(SUCCESS);
    }

    @Test
    void theOriginalFlow() throws Exception {
        open(1);
        int sum = 0;
        for (int i = 0; i < 1000; i++) {
            sum += i % 100;
            FifoPeer.Answer answer = backend.ask(FifoPeer.frame(1, FifoPeer.add(i % 100)));
            assertThat(answer.instance()).isEqualTo(1);
            assertThat(answer.sum()).isEqualTo(sum);
            assertThat(answer.starts()).isEqualTo(1);
        }
        assertThat(console.ask(FifoPeer.open(1)).code()).isEqualTo(BAD_PARAMETER);
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(0))).starts()).isEqualTo(1);
        assertThat(console.ask(FifoPeer.close(1)).code()).isEqualTo(SUCCESS);
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(0))).code()).isEqualTo(FAIL);
        open(1);
        FifoPeer.Answer answer = backend.ask(FifoPeer.frame(1, FifoPeer.add(0)));
        assertThat(answer.sum()).isEqualTo(sum);
        assertThat(answer.starts()).isEqualTo(2);
        assertThat(console.ask(FifoPeer.close(1)).code()).isEqualTo(SUCCESS);
        assertThat(console.ask(FifoPeer.delete(1)).code()).isEqualTo(SUCCESS);
        open(1);
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(0))).sum()).isZero();
    }

    @Test
    void aFrameIsAnsweredWhereverItIsSplit() throws Exception {
        open(1);
        byte[] frame = FifoPeer.frame(1, FifoPeer.add(1, 2, 3));
        for (int split = 1; split < frame.length; split++) {
            backend.write(frame, 0, split);
            Thread.sleep(2);
            backend.write(frame, split, frame.length);
            assertThat(backend.read().sum()).isEqualTo(6 * split);
        }
        byte[] order = FifoPeer.close(1);
        for (int i = 0; i < order.length; i++) {
            console.write(order, i, i + 1);
        }
        assertThat(console.read().code()).isEqualTo(SUCCESS);
    }

    @Test
    void framesMayBeWrittenTogether() throws Exception {
        open(1);
        open(2);
        ByteArrayOutputStream burst = new ByteArrayOutputStream();
        for (int i = 0; i < 400; i++) {
            burst.writeBytes(FifoPeer.frame(1 + i % 2, FifoPeer.add(1)));
        }
        backend.write(burst.toByteArray());
        Map<Long, Integer> sums = new HashMap<>();
        for (int i = 0; i < 400; i++) {
            FifoPeer.Answer answer = backend.read();
            assertThat(answer.sum()).isEqualTo(sums.merge(answer.instance(), 1, Integer::sum));
        }
        ByteArrayOutputStream orders = new ByteArrayOutputStream();
        orders.writeBytes(FifoPeer.close(1));
        orders.writeBytes(FifoPeer.close(1));
        orders.writeBytes(FifoPeer.close(2));
        console.write(orders.toByteArray());
        assertThat(List.of(
                        console.read().code(),
                        console.read().code(),
                        console.read().code()))
                .containsExactly(SUCCESS, BAD_PARAMETER, SUCCESS);
    }

    @Test
    void theLargestCommandAndResponsePass() throws Exception {
        open(1);
        int[] values = new int[4086];
        values[4085] = 77;
        FifoPeer.Answer answer =
                backend.ask(FifoPeer.frame(1, FifoPeer.command(FakeManager.STORE | FakeManager.LONG, values)));
        assertThat(answer.sum()).isEqualTo(77);
        assertThat(answer.body()).hasSize(4086);
    }

    @Test
    void aSlowGuestHoldsUpNeitherOtherGuestsNorTheConsole() throws Exception {
        for (int instance = 1; instance <= 20; instance++) {
            open(instance);
            backend.write(FifoPeer.frame(instance, FifoPeer.command(FakeManager.STORE | FakeManager.SLOW, instance)));
        }
        open(100);
        assertThat(backend.ask(FifoPeer.frame(100, FifoPeer.add(1))).instance()).isEqualTo(100);
        List<Runnable> slow = new ArrayList<>(manager.slow);
        assertThat(slow).hasSize(20);
        Collections.shuffle(slow, new Random(3));
        slow.forEach(Runnable::run);
        List<Long> answered = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            FifoPeer.Answer answer = backend.read();
            assertThat((long) answer.sum()).isEqualTo(answer.instance());
            answered.add(answer.instance());
        }
        assertThat(answered).doesNotHaveDuplicates();
    }

    @Test
    void aGuestWithoutARunningInstanceIsToldSo() throws Exception {
        for (int instance : new int[] {0, 9, -1}) {
            FifoPeer.Answer answer = backend.ask(FifoPeer.frame(instance, FifoPeer.add(1)));
            assertThat(answer.instance()).isEqualTo(Integer.toUnsignedLong(instance));
            assertThat(answer.tag()).isEqualTo(0xC4);
            assertThat(answer.code()).isEqualTo(FAIL);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01C1, 0x01C2})
    void aGuestCannotUseTheManagersPrivateTags(int tag) throws Exception {
        open(1);
        manager.orders.clear();
        byte[] frame = FifoPeer.close(1);
        ByteBuffer.wrap(frame).putInt(0, 1).putShort(4, (short) tag);
        FifoPeer.Answer answer = backend.ask(frame);
        assertThat(answer.instance()).isEqualTo(1);
        assertThat(answer.tag()).isEqualTo(0xC4);
        assertThat(answer.code()).isEqualTo(BADTAG);
        assertThat(manager.orders).isEmpty();
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(4))).sum()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 4097, Integer.MAX_VALUE, -1})
    void aSizeThatNoCommandHasIsAnsweredAndTheNextFrameUnderstood(int size) throws Exception {
        open(1);
        byte[] bad = FifoPeer.frame(1, FifoPeer.add(1, 2, 3, 4, 5, 6, 7, 8));
        ByteBuffer.wrap(bad).putInt(6, size);
        FifoPeer.Answer refused = backend.ask(bad);
        assertThat(refused.instance()).isEqualTo(1);
        assertThat(refused.code()).isEqualTo(BAD_PARAM_SIZE);
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(4))).sum()).isEqualTo(4);

        byte[] order = FifoPeer.close(1);
        ByteBuffer.wrap(order).putInt(6, size);
        assertThat(console.ask(order).code()).isEqualTo(BAD_PARAMETER);
        assertThat(console.ask(FifoPeer.close(1)).code()).isEqualTo(SUCCESS);
    }

    @Test
    void aFrameThatStopsHalfwayIsAnsweredAndTheNextOneUnderstood() throws Exception {
        open(1);
        byte[] frame = FifoPeer.frame(1, FifoPeer.add(1, 2, 3, 4, 5, 6, 7, 8));
        for (int sent : new int[] {4, 9, 10, 14, frame.length - 1}) {
            backend.write(frame, 0, sent);
            assertThat(backend.read().code()).isEqualTo(BAD_PARAM_SIZE);
            assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add())).sum()).isZero();
        }
        console.write(frame, 0, 11);
        assertThat(console.read().code()).isEqualTo(BAD_PARAMETER);
        assertThat(console.ask(FifoPeer.close(1)).code()).isEqualTo(SUCCESS);
    }

    @Test
    void garbageDoesNotStopTheListener() throws Exception {
        open(1);
        Random random = new Random(11);
        long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
        for (int i = 0; System.nanoTime() - end < 0; i++) {
            byte[] noise = new byte[1 + random.nextInt(3000)];
            random.nextBytes(noise);
            (i % 2 == 0 ? backend : console).write(noise);
            drain(backend);
            drain(console);
        }
        Thread.sleep(2 * FRAME_TIMEOUT.toMillis());
        drain(backend);
        drain(console);
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(4))).sum()).isEqualTo(4);
        assertThat(console.ask(FifoPeer.close(1)).code()).isEqualTo(SUCCESS);
    }

    @Test
    void answersThatNobodyReadsAreDroppedOldestFirstAndWhole() throws Exception {
        open(1);
        int commands = 1000;
        for (int i = 0; i < commands; i++) {
            backend.write(FifoPeer.frame(1, FifoPeer.command(FakeManager.STORE | FakeManager.LONG, 1)));
        }
        List<Integer> sums = new ArrayList<>();
        do {
            sums.add(backend.read().sum());
        } while (sums.get(sums.size() - 1) < commands);
        assertThat(sums).isSorted().doesNotHaveDuplicates();
        assertThat(sums.size()).isLessThan(commands).isGreaterThan(OutPipe.MAX_WAITING / 2);
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(1))).sum()).isEqualTo(commands + 1);
    }

    @Test
    void aPeerThatHoldsTheFifosOpenFindsTheListenerAgain() throws Exception {
        open(1);
        stopServer();
        startServer();
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(1))).sum()).isEqualTo(1);
        assertThat(console.ask(FifoPeer.close(1)).code()).isEqualTo(SUCCESS);
    }

    @Test
    void theConsolePassesCommandsOnToTheHostsTpm() throws Exception {
        byte[] command = FifoPeer.command(0x46, 0, 0, 0, 1);
        byte[] order = ByteBuffer.allocate(14 + command.length)
                .put(FifoPeer.order(3))
                .put(command)
                .putInt(6, 10 + command.length)
                .array();
        assertThat(console.ask(order).code()).isEqualTo(0x1F);

        byte[] response = {0, (byte) 0xC4, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 1, 77};
        hostTpm = given -> Arrays.equals(given, command) ? response : TpmError.FAIL.frame(0);
        FifoPeer.Answer answer = console.ask(order);
        assertThat(answer.instance()).isZero();
        assertThat(answer.tag()).isEqualTo(0x01C1);
        assertThat(answer.code()).isZero();
        assertThat(answer.body()).isEqualTo(response);

        hostTpm = given -> new byte[] {0, (byte) 0xC4, 0, 0, 0, 10, 0, 0, 0, 8};
        assertThat(console.ask(order).code()).isEqualTo(8);
        hostTpm = given -> new byte[4090];
        assertThat(console.ask(order).code()).isEqualTo(FAIL);
        hostTpm = given -> {
            throw new RootOfTrustException("it is not there");
        };
        assertThat(console.ask(order).code()).isEqualTo(0x1F);
        ByteBuffer.wrap(order).putInt(0, 1);
        assertThat(console.ask(order).code()).isEqualTo(BAD_PARAMETER);
        assertThat(backend.ask(order).code()).isEqualTo(BADTAG);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x00000004, 0x00000005, 0x01000004, 0x01000005})
    void aMigrationIsRefusedBeforeTheTpmNoticesAnything(int ordinal) throws Exception {
        open(1);
        manager.orders.clear();
        FifoPeer.Answer answer = console.ask(FifoPeer.order(ordinal, 0, 0, 0, 1, 0, 0, 0, 2, 'h', 0));
        assertThat(answer.code()).isEqualTo(DISABLED_CMD);
        assertThat(answer.body()).isEmpty();
        assertThat(manager.orders).isEmpty();
        assertThat(backend.ask(FifoPeer.frame(1, FifoPeer.add(1))).starts()).isEqualTo(1);
    }

    @Test
    void folderAndFifosAreForTheirOwnerAlone() throws Exception {
        assertThat(mode(folder)).isEqualTo("rwx------");
        assertThat(mode(folder.getParent())).isEqualTo("rwx------");
        for (String name : List.of("dummy_in.fifo", "dummy_out.fifo", "from_console.fifo", "to_console.fifo")) {
            assertThat(mode(folder.resolve(name))).isEqualTo("rw-------");
        }
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.setPosixFilePermissions(
                folder.resolve("from_console.fifo"), PosixFilePermissions.fromString("rw-rw-rw-"));
        stopServer();
        startServer();
        assertThat(mode(folder)).isEqualTo("rwx------");
        assertThat(mode(folder.resolve("from_console.fifo"))).isEqualTo("rw-------");
    }

    @Test
    void whatIsNotAFifoOrNotAFolderIsLeftAlone() throws Exception {
        Path file = parent.resolve("precious");
        Files.writeString(file, "precious");
        Path link = parent.resolve("link");
        Files.createSymbolicLink(link, folder);
        Path withLink = Files.createDirectory(parent.resolve("with-link"));
        Files.createSymbolicLink(withLink.resolve("dummy_in.fifo"), folder.resolve("dummy_in.fifo"));
        Path withFile = Files.createDirectory(parent.resolve("with-file"));
        Files.writeString(withFile.resolve("to_console.fifo"), "precious");
        for (Path bad : List.of(file, link)) {
            refused(bad, bad + " is not a folder");
        }
        refused(withLink, "is not a FIFO");
        refused(withFile, "is not a FIFO");
        assertThat(file).hasContent("precious");
        assertThat(withFile.resolve("to_console.fifo")).hasContent("precious");
    }

    private void refused(Path bad, String why) {
        assertThatThrownBy(() -> LegacyListener.start(POSIX, bad, endpoints, consoleSide, FRAME_TIMEOUT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static void drain(FifoPeer peer) throws IOException {
        peer.read(peer.available());
    }
}
