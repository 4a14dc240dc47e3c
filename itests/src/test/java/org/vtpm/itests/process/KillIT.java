package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * kill -9 of the manager while a guest writes NV: what was acknowledged is there afterwards, and nothing is half-written.
 * The number of rounds is the system property {@code vtpm.kill.rounds}.
 */
class KillIT {
    private static final int ROUNDS = Integer.getInteger("vtpm.kill.rounds", 50);
    private static final int INDEX = 0x11;
    private static final int PPWRITE = 1;
    private static final int REPEATED = 64;

    private final Random random = new Random(20261123);
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong acknowledged = new AtomicLong();

    @TempDir
    private Path folder;

    @Test
    void whatWasAcknowledgedSurvivesKilling() throws Exception {
        try (KarafServer karaf = KarafServer.install(folder.resolve("karaf"))) {
            int port = KarafServer.freePort();
            Programs.Result created = karaf.shell("vtpm:create victim --endpoint tcp:127.0.0.1:" + port);
            assertThat(created.exit()).as(created.output()).isZero();
            try (Tpm12Client guest = new Tpm12Client(karaf.connect(port), random)) {
                guest.takeOwnership(new byte[20], new byte[20]).orFail();
                guest.nvDefine(INDEX, Long.BYTES * REPEATED, PPWRITE).orFail();
                guest.nvWrite(INDEX, 0, value(0)).orFail();
            }
            for (int round = 1; round <= ROUNDS; round++) {
                round(karaf, port);
            }
            assertThat(acknowledged.get()).isGreaterThan(ROUNDS);
            System.out.println("KillIT: " + ROUNDS + " kills, " + acknowledged + " writes acknowledged, none lost");
        }
    }

    private void round(KarafServer karaf, int port) throws InterruptedException, IOException, ExecutionException {
        Tpm12Client guest = new Tpm12Client(karaf.connect(port), random);
        try {
            CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> writeUntilKilled(guest));
            long before = acknowledged.get();
            Wait.until("writes go on", Duration.ofMinutes(1), () -> acknowledged.get() > before + 3);
            TimeUnit.MICROSECONDS.sleep(random.nextInt(50_000));
            karaf.kill();
            writing.get();
        } finally {
            guest.close();
        }
        karaf.start();
        try (Tpm12Client after = new Tpm12Client(karaf.connect(port), random)) {
            byte[] data = new byte[Long.BYTES * REPEATED];
            System.arraycopy(after.nvRead(INDEX, 0, data.length).orFail().body(), 4, data, 0, data.length);
            long kept = ByteBuffer.wrap(data).getLong();
            assertThat(data).as("a write is there whole or not at all").isEqualTo(value(kept));
            assertThat(kept).isBetween(acknowledged.get(), sent.get());
            sent.set(kept);
            acknowledged.set(kept);
        }
    }

    private void writeUntilKilled(Tpm12Client guest) {
        try {
            while (true) {
                guest.nvWrite(INDEX, 0, value(sent.incrementAndGet())).orFail();
                acknowledged.set(sent.get());
            }
        } catch (IOException e) {
            // The manager is gone; what was sent last may or may not have been stored.
        }
    }

    /** A number, over and over: a mixture of two writes shows. */
    private static byte[] value(long number) {
        ByteBuffer value = ByteBuffer.allocate(Long.BYTES * REPEATED);
        while (value.hasRemaining()) {
            value.putLong(number);
        }
        return value.array();
    }
}
