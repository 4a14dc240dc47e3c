package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.FileInputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class OutPipeTest {
    private static final Posix POSIX = Posix.load();

    @TempDir
    Path folder;

    private final AtomicInteger blocked = new AtomicInteger();

    @Test
    void answersThatNobodyTookAreTakenBack() throws Exception {
        OutPipe pipe = new OutPipe(
                POSIX, "out.fifo", PrivateFolder.prepare(POSIX, folder).openFifo("out.fifo"), blocked::incrementAndGet);
        try (FileInputStream reader =
                new FileInputStream(folder.resolve("out.fifo").toFile())) {
            for (int i = 0; i < 100; i++) {
                pipe.send(new byte[4000]);
            }
            assertThat(blocked).hasPositiveValue();
            assertThat(pipe.wantsWritable()).isTrue();
            pipe.withdraw(Duration.ofHours(1));
            assertThat(reader.available()).isPositive();
            pipe.withdraw(Duration.ZERO);
            assertThat(reader.available()).isZero();
            assertThat(pipe.wantsWritable()).isFalse();
            pipe.send(new byte[] {1, 2, 3});
            byte[] read = new byte[10];
            assertThat(reader.read(read)).isEqualTo(3);
            assertThat(read).startsWith(1, 2, 3);
        } finally {
            pipe.close();
        }
    }
}
