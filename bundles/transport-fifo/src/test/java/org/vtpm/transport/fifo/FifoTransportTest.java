package org.vtpm.transport.fifo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.vtpm.transport.fifo.FakeEngine.ECHO;
import static org.vtpm.transport.fifo.FakeEngine.SAVE;
import static org.vtpm.transport.fifo.FakeEngine.SLOW;
import static org.vtpm.transport.fifo.FakeEngine.SUCCESS;
import static org.vtpm.transport.fifo.FakeEngine.code;
import static org.vtpm.transport.fifo.FakeEngine.command;
import static org.vtpm.transport.fifo.FakeEngine.response;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.Rendezvous;
import org.vtpm.transport.fifo.Rig.Kind;
import org.vtpm.transport.fifo.wire.FramePipe;

/** What pipes add to what any link does: their files, threads, processes and ends. */
@Timeout(60)
class FifoTransportTest {
    private static final Map<StateKind, byte[]> STATE = Map.of(StateKind.PERMANENT, new byte[] {1});

    @TempDir
    Path temporary;

    private final FakeEngine engine = new FakeEngine();
    private final ExecutorService background = Executors.newCachedThreadPool();
    private Rig rig;

    @BeforeEach
    void open() throws IOException {
        rig = new Rig(temporary);
    }

    @AfterEach
    void close() throws Exception {
        engine.release();
        rig.close();
        background.shutdownNow();
    }

    // Engines of this JVM

    @Test
    void twoHundredIdleInstancesShareOneThread() throws Exception {
        List<EngineLink> links = new ArrayList<>();
        int before = fifoThreads();
        for (int i = 0; i < 200; i++) {
            links.add(rig.fifo.connect(new UUID(0, i), new FakeEngine(), rig.sink()));
        }
        assertThat(fifoThreads()).isEqualTo(before);
        for (int round = 0; round < 3; round++) {
            for (EngineLink link : links) {
                assertThat(link.execute(1, command(ECHO, (byte) round))).isEqualTo(response(0, (byte) 1, (byte) round));
            }
        }
        // One command at a time; a thread may still be on its way back when the next command comes.
        assertThat(fifoThreads() - before).isLessThan(20);
        links.forEach(EngineLink::close);
        assertThat(rig.directory).isEmptyDirectory();
    }

    @Test
    void aSlowEngineIsNotNoticedByTheOthers() throws Exception {
        EngineLink slow = rig.open(Kind.FIFO, engine);
        Future<byte[]> answer = background.submit(() -> slow.execute(0, command(SLOW)));
        engine.begun.await();
        try (EngineLink other = rig.fifo.connect(UUID.randomUUID(), new FakeEngine(), rig.sink())) {
            for (int i = 0; i < 100; i++) {
                assertThat(code(other.execute(0, command(ECHO)))).isEqualTo(SUCCESS);
            }
        }
        assertThat(answer).isNotDone();
        engine.release();
        assertThat(code(answer.get())).isEqualTo(SUCCESS);
    }

    @Test
    void anInterruptedCommandLetsItsThreadGoWhenTheEngineIsAtRest() throws Exception {
        EngineLink link = rig.open(Kind.FIFO, engine);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread caller = callUntilInterrupted(link, interrupted);
        engine.begun.await();
        caller.interrupt();
        caller.join(200);
        assertThat(interrupted).as("the engine is still in use").isNotDone();
        engine.release();
        assertThat(interrupted.get()).isTrue();
        assertThat(rig.directory).isEmptyDirectory();
        try (EngineLink next = rig.fifo.connect(Rig.INSTANCE, engine, rig.sink())) {
            assertThat(code(next.execute(0, command(ECHO)))).isEqualTo(SUCCESS);
        }
    }

    @Test
    void stoppingDoesNotWaitForAnEngineThatIsStuck() throws Exception {
        EngineLink link = rig.open(Kind.FIFO, engine);
        Future<byte[]> answer = background.submit(() -> link.execute(0, command(SLOW)));
        engine.begun.await();
        rig.fifo.stop();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(answer::get)
                .withMessageContaining("were closed");
        assertThat(rig.directory).isEmptyDirectory();
    }

    @Test
    void foreignBytesEndTheLinkAndNothingElse() throws Exception {
        EngineLink link = rig.open(Kind.FIFO, engine);
        Path responses = pipe("tpm_rsp_from_");
        try (FileChannel foreign = FileChannel.open(responses, StandardOpenOption.WRITE)) {
            foreign.write(ByteBuffer.wrap(new byte[60]));
        }
        assertThatIOException().isThrownBy(() -> link.execute(0, command(SAVE)));
        try (EngineLink next = rig.fifo.connect(Rig.INSTANCE, engine, rig.sink())) {
            assertThat(code(next.execute(0, command(ECHO)))).isEqualTo(SUCCESS);
        }
    }

    @Test
    void aForeignCommandIsNotExecuted() throws Exception {
        EngineLink link = rig.open(Kind.FIFO, engine);
        byte[] frame = new byte[14 + 28];
        ByteBuffer.wrap(frame).putInt(1).put(command(SAVE));
        try (FileChannel foreign = FileChannel.open(pipe("tpm_cmd_to_"), StandardOpenOption.WRITE)) {
            foreign.write(ByteBuffer.wrap(frame));
        }
        assertThatIOException().isThrownBy(() -> link.execute(0, command(ECHO)));
        assertThat(engine.executed).hasValue(0);
        assertThat(rig.saved).isEmpty();
    }

    // Engines in processes

    @Test
    void aProcessOutlivesTheTransportThatMadeItsPipes() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        rig.startPeer(rendezvous, engine);
        EngineLink link = rig.fifo.accept(rendezvous, STATE, rig.sink(), Rig.PATIENCE);
        assertThat(code(link.execute(0, command(SAVE)))).isEqualTo(SUCCESS);
        for (int i = 0; i < 3; i++) {
            link.close();
            FifoTransport restarted = new FifoTransport(rig.directory);
            try {
                link = restarted.resume(rendezvous, rig.sink());
                assertThat(code(link.execute(0, command(SAVE)))).isEqualTo(SUCCESS);
            } finally {
                link.close();
                restarted.stop();
            }
        }
        assertThat(rig.saved).hasSize(4);
        rig.fifo.release(rendezvous);
        assertThat(rig.directory).isEmptyDirectory();
    }

    @Test
    void whatAnEarlierLinkDidNotReadIsSkipped() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        rig.startPeer(rendezvous, engine);
        EngineLink first = rig.fifo.accept(rendezvous, STATE, rig.sink(), Rig.PATIENCE);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread caller = callUntilInterrupted(first, interrupted);
        engine.begun.await();
        caller.interrupt();
        assertThat(interrupted.get()).as("the engine is not ours to wait for").isTrue();

        EngineLink second = rig.fifo.resume(rendezvous, rig.sink());
        engine.release();
        assertThat(second.execute(2, command(ECHO, (byte) 5))).isEqualTo(response(0, (byte) 2, (byte) 5));
        second.close();
    }

    @Test
    void whatLiesInThePipesWhenALinkIsOpenedIsDropped() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        rig.startPeer(rendezvous, engine);
        EngineLink link = rig.fifo.accept(rendezvous, STATE, rig.sink(), Rig.PATIENCE);
        for (int length : new int[] {1, 100, 65_536}) {
            link.close();
            try (FileChannel foreign =
                    FileChannel.open(pipe("tpm_rsp_from_"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                foreign.write(ByteBuffer.wrap(new byte[length]));
                link = rig.fifo.resume(rendezvous, rig.sink());
            }
            assertThat(code(link.execute(0, command(SAVE)))).isEqualTo(SUCCESS);
        }
        link.close();
        assertThat(rig.saved).hasSize(3);
    }

    @Test
    void theDeathOfAProcessEndsItsCommand() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        FramePipe process = rig.startPeer(rendezvous, engine);
        EngineLink link = rig.fifo.accept(rendezvous, STATE, rig.sink(), Rig.PATIENCE);
        Future<byte[]> answer = background.submit(() -> link.execute(0, command(SLOW)));
        engine.begun.await();
        process.close();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(answer::get)
                .withMessageContaining("the other end of the channel is closed");
        assertThatIOException()
                .isThrownBy(() -> rig.fifo.resume(rendezvous, rig.sink()))
                .withMessageContaining("has left its pipes");
    }

    @Test
    void aProcessThatNeverAsksIsGivenUp() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        assertThatIOException()
                .isThrownBy(() -> rig.fifo.accept(rendezvous, STATE, rig.sink(), Duration.ofMillis(50)))
                .withMessageContaining("within 50 ms");
    }

    @Test
    void waitingForAProcessCanBeInterrupted() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        CountDownLatch started = new CountDownLatch(1);
        Thread caller = new Thread(() -> {
            started.countDown();
            try {
                rig.fifo.accept(rendezvous, STATE, rig.sink(), Rig.PATIENCE);
            } catch (InterruptedException e) {
                interrupted.complete(!Thread.currentThread().isInterrupted());
            } catch (IOException e) {
                interrupted.completeExceptionally(e);
            }
        });
        caller.start();
        started.await();
        caller.interrupt();
        assertThat(interrupted.get()).isTrue();
    }

    @Test
    void aProcessThatDoesNotKnowTheSecretGetsNoState() throws Exception {
        Rendezvous rendezvous = rig.fifo.prepare(Rig.INSTANCE);
        Rendezvous guessed =
                new Rendezvous(rendezvous.instance(), rendezvous.transport(), rendezvous.arguments(), new byte[32]);
        rig.startPeer(guessed, engine);
        assertThatIOException()
                .isThrownBy(() -> rig.fifo.accept(rendezvous, STATE, rig.sink(), Rig.PATIENCE))
                .withMessageContaining("not made by the other end");
        assertThat(engine.executed).hasValue(0);
    }

    @Test
    void secretsAreOfTheirOwnChannel() throws Exception {
        Rendezvous one = rig.fifo.prepare(Rig.INSTANCE);
        Rendezvous two = rig.fifo.prepare(Rig.INSTANCE);
        assertThat(one.secret()).hasSize(32).isNotEqualTo(two.secret());
        assertThat(one.arguments()).isNotEqualTo(two.arguments());
        rig.fifo.release(one);
        rig.fifo.release(one);
        assertThat(rig.directory.toFile().list()).hasSize(2);
    }

    private Thread callUntilInterrupted(EngineLink link, CompletableFuture<Boolean> interrupted) {
        Thread caller = new Thread(() -> {
            try {
                link.execute(0, command(SLOW));
                interrupted.complete(false);
            } catch (InterruptedException e) {
                interrupted.complete(true);
            } catch (IOException e) {
                interrupted.completeExceptionally(e);
            }
        });
        caller.start();
        return caller;
    }

    private Path pipe(String prefix) throws IOException {
        try (var files = Files.list(rig.directory)) {
            return files.filter(f -> f.getFileName().toString().startsWith(prefix))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static int fifoThreads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().startsWith("vtpm-fifo"))
                .count();
    }
}
