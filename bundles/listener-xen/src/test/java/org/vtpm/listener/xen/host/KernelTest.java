package org.vtpm.listener.xen.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.listener.xen.ring.SharedPage;

/** The system calls, on devices and files that are there without Xen. */
class KernelTest {
    private static final Path NULL = Path.of("/dev/null");

    @TempDir
    Path folder;

    private final Kernel kernel = Kernel.load();

    @Test
    void aPageOfAFileIsMappedAndSharedWithWhoElseHasIt() throws Exception {
        Path file = folder.resolve("page");
        Files.write(file, new byte[2 * SharedPage.SIZE]);
        int fd = kernel.open(file);
        long address = kernel.map(fd, SharedPage.SIZE, SharedPage.SIZE, "map");
        PageMemory page = new PageMemory(MemoryIO.getInstance().newDirectByteBuffer(address, SharedPage.SIZE));
        page.write(8, new byte[] {1, 2, 3});
        page.write(4095, new byte[] {9});
        page.length(0x01020304);
        page.state(2);
        byte[] seen = Files.readAllBytes(file);
        assertThat(seen).hasSize(2 * SharedPage.SIZE).startsWith(new byte[SharedPage.SIZE]);
        ByteBuffer second =
                ByteBuffer.wrap(seen).position(SharedPage.SIZE).slice().order(ByteOrder.LITTLE_ENDIAN);
        assertThat(second.getInt(0)).isEqualTo(0x01020304);
        assertThat(second.get(4)).isEqualTo((byte) 2);
        assertThat(second.get(10)).isEqualTo((byte) 3);
        assertThat(second.get(4095)).isEqualTo((byte) 9);
        assertThat(page.header()).isEqualTo(0x0000000201020304L);
        byte[] copy = new byte[3];
        page.read(8, copy);
        assertThat(copy).containsExactly(1, 2, 3);
        assertThatThrownBy(() -> page.write(4094, copy)).isInstanceOf(IndexOutOfBoundsException.class);
        kernel.unmap(address, SharedPage.SIZE);
        assertThatThrownBy(() -> kernel.map(fd, 1, SharedPage.SIZE, "Cannot map it"))
                .isInstanceOf(IOException.class)
                .hasMessage("Cannot map it: Invalid argument");
        kernel.close(fd);
    }

    @Test
    void whatIsNoDeviceOfXensSaysSo() throws Exception {
        assertThatThrownBy(() -> new EventDevice(kernel, folder.resolve("evtchn")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No such file");
        try (EventDevice events = new EventDevice(kernel, NULL)) {
            assertThatThrownBy(() -> events.bind(5, 8))
                    .isInstanceOf(IOException.class)
                    .hasMessage("Cannot bind event channel 8 of domain 5: Inappropriate ioctl for device");
        }
        try (GrantDevice grants = new GrantDevice(kernel, NULL)) {
            assertThatThrownBy(() -> grants.map(5, 8))
                    .isInstanceOf(IOException.class)
                    .hasMessage("Cannot map grant 8 of domain 5: Inappropriate ioctl for device");
        }
    }

    @Test
    void theThreadThatWaitsForEventsIsWoken() throws Exception {
        // A file that never has anything to read: a FIFO with both ends open.
        Path fifo = folder.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor())
                .isZero();
        try (EventDevice events = new EventDevice(kernel, fifo)) {
            CompletableFuture<Boolean> woken = CompletableFuture.supplyAsync(() -> {
                try {
                    events.await(-1, port -> {
                        throw new AssertionError("event on " + port);
                    });
                    return true;
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertThatThrownBy(() -> woken.get(100, TimeUnit.MILLISECONDS)).isInstanceOf(Exception.class);
            events.wake();
            assertThat(woken.get(10, TimeUnit.SECONDS)).isTrue();
            // What is written to it comes back: as numbers of ports.
            events.unmask(77);
            events.await(10_000, port -> assertThat(port).isEqualTo(77));
        }
    }
}
