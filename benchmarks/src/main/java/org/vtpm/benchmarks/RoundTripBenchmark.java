package org.vtpm.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a guest waits for its commands, over TCP: the product as its users get it beside Debian's swtpm. Both are asked in
 * turn in every round, so that what else the machine does hits both; of the ratio, the median over the rounds counts.
 *
 * <p>Afterwards, how many commands a second many guests get together, each with a TPM of its own.
 */
public final class RoundTripBenchmark {
    private static final int ROUNDS = Integer.getInteger("vtpm.benchmark.rounds", 15);
    private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(10);
    private static final int[] GUESTS = {1, 10, 100};

    /**
     * Commands that take about the same time.
     *
     * @param warmUp how often each is run before it is measured: a JVM compiles what it has run some thousand times
     * @param count how often each is run in each round
     */
    private record Group(List<Contestant.Named> operations, int warmUp, int count) {}

    private static final List<Group> GROUPS = List.of(
            new Group(Contestant.QUICK, 20_000, 400),
            new Group(Contestant.STORING, 4_000, 100),
            new Group(Contestant.RSA, 400, 20),
            new Group(Contestant.KEY_GENERATION, 10, 2));

    private RoundTripBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("vtpm-benchmark");
        try (Competition competition = new Competition(folder)) {
            try (Contestant swtpm = competition.swtpms(1).get(0);
                    Contestant ours = competition.ours(1).get(0)) {
                roundTrips(swtpm, ours);
            }
            System.out.printf("%n%-10s %14s %14s %8s%n", "guests", "swtpm, 1/s", "ours, 1/s", "ratio");
            for (int guests : GUESTS) {
                Throughput.measure(competition, guests);
            }
        } finally {
            Folders.delete(folder);
        }
    }

    private static void roundTrips(Contestant swtpm, Contestant ours) throws IOException {
        System.out.printf(
                "%-36s %10s %10s %10s %10s   %s%n",
                "microseconds", "swtpm p50", "p99", "ours p50", "p99", "ratio of medians (lowest, highest round)");
        for (Group group : GROUPS) {
            for (Contestant.Named each : group.operations()) {
                warmUp(swtpm, each.operation(), group.warmUp() / 10);
                warmUp(ours, each.operation(), group.warmUp());
                List<long[]> swtpmRounds = new ArrayList<>();
                List<long[]> ourRounds = new ArrayList<>();
                for (int round = 0; round < ROUNDS; round++) {
                    swtpmRounds.add(run(swtpm, each.operation(), group.count()));
                    ourRounds.add(run(ours, each.operation(), group.count()));
                }
                print(each.name(), swtpmRounds, ourRounds);
            }
        }
    }

    private static void warmUp(Contestant contestant, Contestant.Operation operation, int count) throws IOException {
        long end = System.nanoTime() + LONGEST_WARM_UP.toNanos();
        for (int i = 0; i < count && System.nanoTime() - end < 0; i++) {
            contestant.time(operation);
        }
    }

    /** Sorted. */
    private static long[] run(Contestant contestant, Contestant.Operation operation, int count) throws IOException {
        long[] times = new long[count];
        for (int i = 0; i < count; i++) {
            times[i] = contestant.time(operation);
        }
        Arrays.sort(times);
        return times;
    }

    private static void print(String name, List<long[]> swtpm, List<long[]> ours) {
        double[] ratios = new double[swtpm.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = (double) percentile(ours.get(i), 50) / percentile(swtpm.get(i), 50);
        }
        Arrays.sort(ratios);
        long[] allTheirs = pooled(swtpm);
        long[] allOurs = pooled(ours);
        System.out.printf(
                "%-36s %10.1f %10.1f %10.1f %10.1f   %.2f (%.2f, %.2f)%n",
                name,
                percentile(allTheirs, 50) / 1e3,
                percentile(allTheirs, 99) / 1e3,
                percentile(allOurs, 50) / 1e3,
                percentile(allOurs, 99) / 1e3,
                ratios[ratios.length / 2],
                ratios[0],
                ratios[ratios.length - 1]);
    }

    private static long[] pooled(List<long[]> rounds) {
        return rounds.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    }

    private static long percentile(long[] sorted, int percent) {
        return sorted[sorted.length * percent / 100];
    }
}
