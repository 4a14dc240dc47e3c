package org.vtpm.vtpmd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.Rendezvous;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.transport.fifo.FifoTransport;

/** The real process with the real engine, launched as the manager launches it. */
@Timeout(120)
class VtpmdProcessTest {
    private static final UUID INSTANCE = UUID.fromString("5f6c0a7e-51d2-4f0b-9d8e-2f3f0c6f3a01");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final byte[] STARTUP_CLEAR = HexFormat.of().parseHex("00c10000000c000000990001");
    private static final byte[] PRESENCE_COMMANDS_ON = HexFormat.of().parseHex("00c10000000c4000000a0020");
    private static final byte[] PRESENT = HexFormat.of().parseHex("00c10000000c4000000a0008");
    private static final byte[] PHYSICAL_ENABLE = HexFormat.of().parseHex("00c10000000a0000006f");
    private static final byte[] PHYSICAL_DISABLE = HexFormat.of().parseHex("00c10000000a00000070");
    private static final byte[] PERMANENT_FLAGS =
            HexFormat.of().parseHex("00c100000016000000650000000400000004" + "00000108");
    private static final byte[] EXTEND_10 = HexFormat.of().parseHex("00c100000022000000140000000a" + "11".repeat(20));

    @TempDir
    Path temporary;

    private final Map<StateKind, byte[]> disk = new EnumMap<>(StateKind.class);
    private final List<Process> processes = new ArrayList<>();
    private final ExecutorService background = Executors.newCachedThreadPool();
    private FifoTransport transport;
    private Path log;

    @BeforeEach
    void manufacture() throws IOException {
        transport = new FifoTransport(temporary.resolve("pipes"));
        log = temporary.resolve("vtpmd.log");
        disk.put(StateKind.PERMANENT, new Tpm12EngineFactory(JavaBigNumberProvider::new).manufacture(false));
    }

    @AfterEach
    void stop() {
        processes.forEach(Process::destroyForcibly);
        background.shutdownNow();
        transport.stop();
    }

    @Test
    void stateOutlivesTheProcess() throws Exception {
        byte[] whenDisabled;
        Rendezvous first = transport.prepare(INSTANCE);
        Process process = launch(first, first.secret());
        try (EngineLink link = accept(first)) {
            assertThat(code(link.execute(0, STARTUP_CLEAR))).isZero();
            for (byte[] command : new byte[][] {PRESENCE_COMMANDS_ON, PRESENT, PHYSICAL_ENABLE}) {
                assertThat(code(link.execute(0, command))).isZero();
            }
            byte[] whenEnabled = link.execute(0, PERMANENT_FLAGS);
            byte[] saved = disk.get(StateKind.PERMANENT);
            assertThat(code(link.execute(0, PHYSICAL_DISABLE))).isZero();
            assertThat(disk.get(StateKind.PERMANENT))
                    .as("SAVENVM came before the response")
                    .isNotEqualTo(saved);
            whenDisabled = link.execute(0, PERMANENT_FLAGS);
            assertThat(code(whenDisabled)).isZero();
            assertThat(whenDisabled).isNotEqualTo(whenEnabled);
        }
        process.getOutputStream().close();
        assertThat(process.waitFor()).isEqualTo(Vtpmd.STOPPED);
        transport.release(first);

        Rendezvous second = transport.prepare(INSTANCE);
        launch(second, second.secret());
        try (EngineLink link = accept(second)) {
            assertThat(code(link.execute(0, STARTUP_CLEAR))).isZero();
            assertThat(link.execute(0, PERMANENT_FLAGS)).isEqualTo(whenDisabled);
        }
        assertThat(Files.readString(log)).isEmpty();
    }

    @Test
    void aSnapshotGoesOnInAnotherProcess() throws Exception {
        byte[] undisturbed;
        Rendezvous first = transport.prepare(INSTANCE);
        Process process = launch(first, first.secret());
        try (EngineLink link = accept(first)) {
            assertThat(code(link.execute(0, STARTUP_CLEAR))).isZero();
            assertThat(code(link.execute(0, EXTEND_10))).isZero();
            disk.put(StateKind.VOLATILE, link.snapshot());
            undisturbed = link.execute(0, EXTEND_10);
            assertThat(code(undisturbed)).isZero();
        }
        process.getOutputStream().close();
        assertThat(process.waitFor()).isEqualTo(Vtpmd.STOPPED);

        Rendezvous second = transport.prepare(INSTANCE);
        launch(second, second.secret());
        try (EngineLink link = accept(second)) {
            assertThat(link.execute(0, EXTEND_10)).isEqualTo(undisturbed);
        }
        assertThat(Files.readString(log)).isEmpty();
    }

    @Test
    void theProcessGoesOnUnderATransportThatIsReplaced() throws Exception {
        Rendezvous rendezvous = transport.prepare(INSTANCE);
        launch(rendezvous, rendezvous.secret());
        byte[] before;
        try (EngineLink link = accept(rendezvous)) {
            assertThat(code(link.execute(0, STARTUP_CLEAR))).isZero();
            before = link.execute(0, EXTEND_10);
            assertThat(code(before)).isZero();
        }
        for (int i = 0; i < 5; i++) {
            transport.stop();
            transport = new FifoTransport(temporary.resolve("pipes"));
            try (EngineLink link = transport.resume(rendezvous, sink())) {
                byte[] after = link.execute(0, EXTEND_10);
                assertThat(code(after)).isZero();
                assertThat(after).as("the PCR went on").isNotEqualTo(before);
                before = after;
            }
        }
    }

    @Test
    void aKilledProcessEndsTheCommandThatWaitsForIt() throws Exception {
        Rendezvous rendezvous = transport.prepare(INSTANCE);
        Process process = launch(rendezvous, rendezvous.secret());
        try (EngineLink link = accept(rendezvous)) {
            assertThat(code(link.execute(0, STARTUP_CLEAR))).isZero();
            signal(process, "STOP"); // so that it cannot answer
            Future<byte[]> answer = background.submit(() -> link.execute(0, EXTEND_10));
            process.destroyForcibly();
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(answer::get)
                    .withCauseInstanceOf(IOException.class);
        }
        assertThatIOException().isThrownBy(() -> transport.resume(rendezvous, sink()));
    }

    @Test
    void theProcessEndsWithItsManagerEvenBeforeItHasState() throws Exception {
        Rendezvous rendezvous = transport.prepare(INSTANCE);
        Process process = launch(rendezvous, rendezvous.secret());
        process.getOutputStream().close();
        assertThat(process.waitFor()).isEqualTo(Vtpmd.STOPPED);
    }

    @Test
    void theProcessHeedsATerminationSignal() throws Exception {
        Rendezvous rendezvous = transport.prepare(INSTANCE);
        Process process = launch(rendezvous, rendezvous.secret());
        try (EngineLink link = accept(rendezvous)) {
            assertThat(code(link.execute(0, STARTUP_CLEAR))).isZero();
            signal(process, "TERM");
            assertThat(process.waitFor()).isEqualTo(128 + 15);
        }
    }

    @Test
    void damagedStateIsRefusedWithItsReason() throws Exception {
        disk.get(StateKind.PERMANENT)[0]++;
        Rendezvous rendezvous = transport.prepare(INSTANCE);
        Process process = launch(rendezvous, rendezvous.secret());
        assertThatIOException()
                .isThrownBy(() -> accept(rendezvous))
                .withMessageContaining("vtpmd cannot use its state: ");
        assertThat(process.waitFor()).isEqualTo(Vtpmd.STATE);
        assertThat(Files.readString(log)).contains(INSTANCE.toString()).contains("its state cannot be used");
    }

    @Test
    void aProcessWithAnotherSecretGetsNothing() throws Exception {
        Rendezvous rendezvous = transport.prepare(INSTANCE);
        launch(rendezvous, new byte[32]);
        assertThatIOException().isThrownBy(() -> accept(rendezvous)).withMessageContaining("not made by the other end");
    }

    private EngineLink accept(Rendezvous rendezvous) throws IOException, InterruptedException {
        return transport.accept(rendezvous, disk, sink(), PATIENCE);
    }

    private StateSink sink() {
        return changes -> changes.forEach((kind, content) -> disk.put(kind, content.clone()));
    }

    private Process launch(Rendezvous rendezvous, byte[] secret) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx48m",
                "-cp",
                System.getProperty("java.class.path"),
                "org.vtpm.vtpmd.Main"));
        command.addAll(rendezvous.arguments());
        command.add("1.2");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        processes.add(process);
        process.getOutputStream().write(secret);
        process.getOutputStream().flush();
        return process;
    }

    private static void signal(Process process, String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    private static int code(byte[] response) {
        return ByteBuffer.wrap(response).getInt(6);
    }
}
