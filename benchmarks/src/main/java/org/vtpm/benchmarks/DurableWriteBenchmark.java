package org.vtpm.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/**
 * How many NV writes a second guests get together, each with a TPM of its own: ours are encrypted and on the disk before they
 * are answered, those of Debian's swtpm are in a file that nobody has synced. By turns in every round.
 */
public final class DurableWriteBenchmark {
    private static final int[] GUESTS = Arrays.stream(
                    System.getProperty("vtpm.benchmark.guests", "1,10,100").split(","))
            .mapToInt(Integer::parseInt)
            .toArray();
    private static final int ROUNDS = Integer.getInteger("vtpm.benchmark.rounds", 7);
    private static final Duration WARM_UP = Duration.ofSeconds(Integer.getInteger("vtpm.benchmark.warmup", 5));
    private static final Duration ROUND = Duration.ofSeconds(2);

    private DurableWriteBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("vtpm-benchmark");
        try (Competition competition = new Competition(folder)) {
            System.out.printf(
                    "%-10s %14s %14s %8s %12s %12s %12s%n", "", "swtpm", "ours", "", "swtpm", "ours", "client");
            System.out.printf(
                    "%-10s %14s %14s %8s %12s %12s %12s%n",
                    "guests", "writes/s", "writes/s", "ratio", "CPU us/write", "CPU us/write", "CPU us/write");
            for (int guests : GUESTS) {
                List<Contestant> theirs = competition.swtpms(guests);
                List<Contestant> ours = competition.ours(guests);
                measure(competition, theirs, ours);
                theirs.forEach(Contestant::close);
                ours.forEach(Contestant::close);
            }
        } finally {
            Folders.delete(folder);
        }
    }

    private static void measure(Competition competition, List<Contestant> theirs, List<Contestant> ours)
            throws Exception {
        writesPerSecond(ours, WARM_UP);
        double[] their = new double[ROUNDS];
        double[] our = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        Effort theirEffort = new Effort(competition::theirProcessorTime);
        Effort ourEffort = new Effort(competition::ourProcessorTime);
        Effort clientsEffort = new Effort(Competition::clientsProcessorTime);
        for (int round = 0; round < ROUNDS; round++) {
            theirEffort.begin();
            their[round] = writesPerSecond(theirs, ROUND);
            theirEffort.end(their[round]);
            ourEffort.begin();
            clientsEffort.begin();
            our[round] = writesPerSecond(ours, ROUND);
            ourEffort.end(our[round]);
            clientsEffort.end(our[round]);
            ratios[round] = our[round] / their[round];
        }
        System.out.printf(
                "%-10d %14.0f %14.0f %8.2f %12.0f %12.0f %12.0f%n",
                ours.size(),
                median(their),
                median(our),
                median(ratios),
                theirEffort.microsPerWrite(),
                ourEffort.microsPerWrite(),
                clientsEffort.microsPerWrite());
    }

    /** What processors do for writes, which says more than their number where others use the machine. */
    private static final class Effort {
        private final Supplier<Duration> clock;
        private Duration begun = Duration.ZERO;
        private Duration spent = Duration.ZERO;
        private double writes;

        Effort(Supplier<Duration> clock) {
            this.clock = clock;
        }

        void begin() {
            begun = clock.get();
        }

        void end(double writesPerSecond) {
            spent = spent.plus(clock.get().minus(begun));
            writes += writesPerSecond * ROUND.toSeconds();
        }

        double microsPerWrite() {
            return spent.toNanos() / 1e3 / writes;
        }
    }

    private static double writesPerSecond(List<Contestant> guests, Duration time)
            throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(guests.size());
        try {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<Integer>> counts = new ArrayList<>();
            for (Contestant guest : guests) {
                counts.add(threads.submit(() -> {
                    start.await();
                    return write(guest, System.nanoTime() + time.toNanos());
                }));
            }
            start.countDown();
            long sum = 0;
            for (Future<Integer> count : counts) {
                sum += count.get();
            }
            return sum / (time.toNanos() / 1e9);
        } finally {
            threads.shutdownNow();
        }
    }

    private static int write(Contestant guest, long end) throws IOException {
        int count = 0;
        while (System.nanoTime() - end < 0) {
            guest.time(Contestant.NV_WRITE);
            count++;
        }
        return count;
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
