package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.fake.FakeManager;

/** What the kernel's backend driver sees on its device. */
@Timeout(60)
class VtpmDeviceTest {
    private static final Duration FRAME_TIMEOUT = Duration.ofMillis(200);
    private static final Duration RETRY = Duration.ofMillis(50);
    private static final int FAIL = 9;
    private static final int BAD_PARAM_SIZE = 0x19;
    private static final int BADTAG = 0x1E;

    private static final Posix POSIX = Posix.load();

    @TempDir
    Path folder;

    private final LegacyEndpoints endpoints = new LegacyEndpoints();
    private final FakeManager manager = new FakeManager(endpoints);
    private Path name;
    private Pty kernel;
    private VtpmDevice device;

    @BeforeEach
    void start() throws Exception {
        manager.running("one", URI.create("legacy:1"));
        manager.running("two", URI.create("legacy:2"));
        name = folder.resolve("vtpm");
        kernel = new Pty();
    }

    @AfterEach
    void stop() {
        if (device != null) {
            device.close();
        }
        kernel.close();
    }

    private void serve() throws IOException {
        device = new VtpmDevice(POSIX, name, new Backend(endpoints), FRAME_TIMEOUT, RETRY);
    }

    private void serveTheKernel() throws IOException {
        kernel.linkTo(name);
        serve();
    }

    @Test
    void eachGuestGetsItsOwnTpmsAnswers() throws Exception {
        serveTheKernel();
        int[] sums = new int[3];
        for (int i = 0; i < 500; i++) {
            int guest = 1 + i % 2;
            sums[guest] += i % 50;
            FifoPeer.Answer answer = kernel.ask(FifoPeer.frame(guest, FifoPeer.add(i % 50)));
            assertThat(answer.instance()).isEqualTo(guest);
            assertThat(answer.sum()).isEqualTo(sums[guest]);
        }
    }

    @Test
    void requestsThatWaitTogetherAreTakenOneByOne() throws Exception {
        serveTheKernel();
        ByteArrayOutputStream burst = new ByteArrayOutputStream();
        for (int i = 0; i < 20; i++) {
            burst.writeBytes(FifoPeer.frame(1, FifoPeer.add(i)));
        }
        kernel.write(burst.toByteArray());
        int sum = 0;
        for (int i = 0; i < 20; i++) {
            sum += i;
            assertThat(kernel.read().sum()).isEqualTo(sum);
        }
    }

    @Test
    void whatCannotReachATpmIsAnswered() throws Exception {
        serveTheKernel();
        for (int guest : new int[] {0, 3, -1}) {
            FifoPeer.Answer answer = kernel.ask(FifoPeer.frame(guest, FifoPeer.add(1)));
            assertThat(answer.instance()).isEqualTo(Integer.toUnsignedLong(guest));
            assertThat(answer.code()).isEqualTo(FAIL);
        }
        byte[] order = FifoPeer.close(1);
        ByteBuffer.wrap(order).putInt(0, 1);
        assertThat(kernel.ask(order).code()).isEqualTo(BADTAG);
        assertThat(kernel.ask(FifoPeer.frame(1, FifoPeer.add(7))).sum()).isEqualTo(7);
    }

    @Test
    void aRequestOfSeveralPagesIsFetchedToItsEndAndRefused() throws Exception {
        serveTheKernel();
        kernel.write(FifoPeer.frame(1, FifoPeer.command(FakeManager.STORE, new int[0xFFFF - 10])));
        FifoPeer.Answer refused = kernel.read();
        assertThat(refused.instance()).isEqualTo(1);
        assertThat(refused.code()).isEqualTo(BAD_PARAM_SIZE);
        assertThat(kernel.ask(FifoPeer.frame(1, FifoPeer.add(7))).sum()).isEqualTo(7);
    }

    @Test
    void aDeviceThatComesLateGoesAwayAndComesBackIsServed() throws Exception {
        serve();
        Thread.sleep(3 * RETRY.toMillis());
        kernel.linkTo(name);
        assertThat(kernel.ask(FifoPeer.frame(1, FifoPeer.add(1))).sum()).isEqualTo(1);
        kernel.close();
        Files.delete(name);
        Thread.sleep(3 * RETRY.toMillis());
        kernel = new Pty();
        kernel.linkTo(name);
        assertThat(kernel.ask(FifoPeer.frame(1, FifoPeer.add(2))).sum()).isEqualTo(3);
    }

    @Test
    void whatIsNoDeviceIsLeftAlone() throws Exception {
        Files.writeString(name, "precious");
        serve();
        Thread.sleep(3 * RETRY.toMillis());
        assertThat(name).hasContent("precious");
        kernel.linkTo(name);
        assertThat(kernel.ask(FifoPeer.frame(1, FifoPeer.add(1))).sum()).isEqualTo(1);
    }

    @Test
    void aDeviceThatIsOutOfStepIsOpenedAnew() throws Exception {
        serveTheKernel();
        byte[] frame = FifoPeer.frame(1, FifoPeer.add());
        for (int size : new int[] {0, 9, 0x10000, -1}) {
            byte[] bad = frame.clone();
            ByteBuffer.wrap(bad).putInt(6, size);
            kernel.write(bad);
            assertThat(kernel.ask(frame).code()).isZero();
        }
        kernel.write(new byte[7]);
        Thread.sleep(3 * FRAME_TIMEOUT.toMillis());
        assertThat(kernel.ask(frame).code()).isZero();
    }

    @Test
    void aSlowTpmHoldsUpNoOtherAndAnAnswerAfterTheEndIsDropped() throws Exception {
        serveTheKernel();
        kernel.write(FifoPeer.frame(1, FifoPeer.command(FakeManager.STORE | FakeManager.SLOW, 1)));
        assertThat(kernel.ask(FifoPeer.frame(2, FifoPeer.add(5))).sum()).isEqualTo(5);
        device.close();
        manager.slow.remove().run();
        serve();
        assertThat(kernel.ask(FifoPeer.frame(2, FifoPeer.add(1))).sum()).isEqualTo(6);
    }

    @Test
    void adviceTellsABusyDeviceFromAMissingDriver() {
        assertThat(VtpmDevice.advice(PosixException.EPERM)).contains("another process has it");
        assertThat(VtpmDevice.advice(PosixException.ENODEV)).contains("load the kernel's TPM backend driver");
        assertThat(VtpmDevice.advice(13)).contains("let the manager's user open it");
    }
}
