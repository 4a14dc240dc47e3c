package org.vtpm.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.vtpm.itests.tpm12.Tpm12Client;

/** Guests that each ask a TPM of their own as fast as it answers: PCRRead, Extend and GetRandom in turn. */
final class Throughput {
    private static final Duration WARM_UP = Duration.ofSeconds(5);
    private static final Duration ROUND = Duration.ofSeconds(2);
    private static final int ROUNDS = 7;
    private static final int PCR = 10;
    private static final int RANDOM_BYTES = 32;

    private Throughput() {}

    static void measure(Competition competition, int guests) throws Exception {
        List<Integer> theirs = competition.swtpmPorts(guests);
        List<Integer> ours = competition.ourPorts(guests);
        commandsPerSecond(ours, WARM_UP);
        double[] their = new double[ROUNDS];
        double[] our = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            their[round] = commandsPerSecond(theirs, ROUND);
            our[round] = commandsPerSecond(ours, ROUND);
            ratios[round] = our[round] / their[round];
        }
        System.out.printf("%-10d %14.0f %14.0f %8.2f%n", guests, median(their), median(our), median(ratios));
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    private static double commandsPerSecond(List<Integer> ports, Duration time)
            throws IOException, InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(ports.size());
        List<Tpm12Client> guests = new ArrayList<>();
        try {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<Integer>> counts = new ArrayList<>();
            for (int port : ports) {
                Tpm12Client guest = new Tpm12Client(new TimedSocket(port), new SplittableRandom(port));
                guests.add(guest);
                counts.add(threads.submit(() -> {
                    start.await();
                    return work(guest, System.nanoTime() + time.toNanos());
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
            guests.forEach(Tpm12Client::close);
        }
    }

    private static int work(Tpm12Client guest, long end) throws IOException {
        int count = 0;
        while (System.nanoTime() - end < 0) {
            guest.pcrRead(PCR).orFail();
            guest.extend(PCR, guest.nonce()).orFail();
            guest.getRandom(RANDOM_BYTES).orFail();
            count += 3;
        }
        return count;
    }
}
