package org.vtpm.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.Rendezvous;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.transport.fifo.FifoTransport;
import org.vtpm.transport.loopback.LoopbackTransport;

/**
 * Round trips over each transport, and what a {@code vtpmd} process costs to start and to keep. The system property
 * {@code vtpm.vtpmd} names the jar of vtpmd.
 */
public final class TransportBenchmark {
    private static final UUID INSTANCE = new UUID(0, 1);
    private static final byte[] STARTUP_CLEAR = HexFormat.of().parseHex("00c10000000c000000990001");
    private static final byte[] PCR_READ = HexFormat.of().parseHex("00c10000000e000000150000000a");
    private static final int WARM_UP = 20_000;
    private static final int ROUND_TRIPS = 20_000;
    private static final int LAUNCHES = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Tpm12EngineFactory engines = new Tpm12EngineFactory(JavaBigNumberProvider::new);
    private final Map<StateKind, byte[]> state = Map.of(StateKind.PERMANENT, engines.manufacture(false));
    private final FifoTransport fifo;
    private final Path vtpmd;

    private TransportBenchmark(Path pipes, Path vtpmd) throws IOException {
        this.fifo = new FifoTransport(pipes);
        this.vtpmd = vtpmd;
    }

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createTempDirectory("vtpm-benchmark");
        TransportBenchmark benchmark =
                new TransportBenchmark(directory.resolve("pipes"), Path.of(System.getProperty("vtpm.vtpmd")));
        try {
            benchmark.roundTrips();
            benchmark.launches();
        } finally {
            benchmark.fifo.stop();
            Folders.delete(directory);
        }
    }

    private void roundTrips() throws Exception {
        System.out.printf("%-28s %10s %10s %10s%n", "TPM_PCRRead, microseconds", "median", "99 %", "best");
        try (Engine engine = engine();
                EngineLink link = new LoopbackTransport().connect(INSTANCE, engine, changes -> {})) {
            measure("loopback", link);
        }
        try (Engine engine = engine();
                EngineLink link = fifo.connect(INSTANCE, engine, changes -> {})) {
            measure("fifo, shared JVM", link);
        }
        Rendezvous rendezvous = fifo.prepare(INSTANCE);
        Process process = launch(rendezvous, List.of("-XX:+UseSerialGC", "-Xmx48m"));
        try (EngineLink link = fifo.accept(rendezvous, state, changes -> {}, PATIENCE)) {
            measure("fifo, process", link);
        } finally {
            end(process, rendezvous);
        }
    }

    private Engine engine() throws EngineStateException {
        return engines.open(state);
    }

    private static void measure(String name, EngineLink link) throws IOException, InterruptedException {
        link.execute(0, STARTUP_CLEAR);
        for (int i = 0; i < WARM_UP; i++) {
            link.execute(0, PCR_READ);
        }
        long[] times = new long[ROUND_TRIPS];
        for (int i = 0; i < times.length; i++) {
            long start = System.nanoTime();
            link.execute(0, PCR_READ);
            times[i] = System.nanoTime() - start;
        }
        Arrays.sort(times);
        System.out.printf(
                "%-28s %10.1f %10.1f %10.1f%n",
                name, times[times.length / 2] / 1000.0, times[times.length * 99 / 100] / 1000.0, times[0] / 1000.0);
    }

    private void launches() throws Exception {
        Path archive = vtpmd.resolveSibling("benchmark.jsa");
        List<String> usual = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k", "-Xmx48m");
        List<String> small = with(usual, "-Xms4m", "-Xmn2m", "-XX:-UsePerfData");
        System.out.printf("%n%-56s %10s %10s%n", "vtpmd: launch to TPM_Startup's answer, median", "ms", "RSS, MiB");
        launches("no options", List.of());
        launches("serial collector, one compiler, -Xmx48m", usual);
        launches("the same with a heap that starts small", small);
        launchOnce(with(small, "-XX:ArchiveClassesAtExit=" + archive));
        launches("the same with a class data archive", with(small, "-XX:SharedArchiveFile=" + archive));
        Files.deleteIfExists(archive);
    }

    private static List<String> with(List<String> options, String... more) {
        return Stream.concat(options.stream(), Stream.of(more)).toList();
    }

    private void launches(String name, List<String> options) throws Exception {
        double[] times = new double[LAUNCHES];
        long rss = 0;
        for (int i = 0; i < LAUNCHES; i++) {
            long start = System.nanoTime();
            Rendezvous rendezvous = fifo.prepare(INSTANCE);
            Process process = launch(rendezvous, options);
            try (EngineLink link = fifo.accept(rendezvous, state, changes -> {}, PATIENCE)) {
                link.execute(0, STARTUP_CLEAR);
                times[i] = (System.nanoTime() - start) / 1e6;
                rss = residentKibibytes(process);
            } finally {
                end(process, rendezvous);
            }
        }
        Arrays.sort(times);
        System.out.printf("%-56s %10.0f %10.1f%n", name, times[LAUNCHES / 2], rss / 1024.0);
    }

    private void launchOnce(List<String> options) throws Exception {
        Rendezvous rendezvous = fifo.prepare(INSTANCE);
        Process process = launch(rendezvous, options);
        try (EngineLink link = fifo.accept(rendezvous, state, changes -> {}, PATIENCE)) {
            link.execute(0, STARTUP_CLEAR);
        } finally {
            end(process, rendezvous);
        }
    }

    private Process launch(Rendezvous rendezvous, List<String> options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", vtpmd.toString(), "org.vtpm.vtpmd.Main"));
        command.addAll(rendezvous.arguments());
        command.add("1.2");
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().write(rendezvous.secret());
        process.getOutputStream().flush();
        return process;
    }

    private void end(Process process, Rendezvous rendezvous) throws IOException, InterruptedException {
        process.getOutputStream().close();
        process.waitFor();
        fifo.release(rendezvous);
    }

    private static long residentKibibytes(Process process) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")))
                    .findFirst()
                    .orElse(0);
        }
    }
}
