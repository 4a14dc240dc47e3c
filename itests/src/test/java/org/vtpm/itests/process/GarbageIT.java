package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.SocketTpm;

/**
 * Garbage for every listener at once, while a guest of another instance goes on with its work: no exception escapes,
 * nothing is held for ever, and nobody but the sender notices. The system properties {@code vtpm.garbage.seconds} and
 * {@code vtpm.garbage.seed} tell for how long, and which garbage.
 */
class GarbageIT {
    private static final Duration ATTACK = Duration.ofSeconds(Integer.getInteger("vtpm.garbage.seconds", 60));
    private static final long SEED = Long.getLong("vtpm.garbage.seed", 20261124L);

    /** So that what is loaded and compiled at first use does not count as lost. */
    private static final Duration WARM_UP = Duration.ofSeconds(10);

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int LEGACY = 101;

    /** What hotplug orders that happen to be right leave in the log: these are not garbage to the listener. */
    private static final Pattern LIFE_CYCLE = Pattern.compile("INFO .* org\\.vtpm\\.manager\\.|\\.legacy\\.Hotplug ");

    /** The listeners log the first of a kind, and then less and less often. */
    private static final int MOST_LINES = 150;

    // How much more may be held afterwards. The attack is some hundred thousand commands and connections.
    private static final long MOST_HEAP = 4 << 20;
    private static final int MOST_THREADS = 8;
    private static final int MOST_DESCRIPTORS = 8;

    @TempDir
    private Path folder;

    private KarafServer karaf;
    private int demo;
    private int neighbour;
    private Path socket;

    @Test
    void noListenerMindsGarbage() throws Exception {
        try (KarafServer started = KarafServer.install(folder.resolve("karaf"))) {
            karaf = started;
            demo = KarafServer.freePort();
            create("demo", "tcp:127.0.0.1:" + demo);
            socket = folder.resolve("guest.sock");
            create("local", "unix:" + socket);
            create("legacy", "legacy:" + LEGACY);
            neighbour = KarafServer.freePort();
            create("neighbour", "tcp:127.0.0.1:" + neighbour);
            attack(WARM_UP, SEED - 1);
            deleteGuestsMadeByGarbage();
            Vitals before = Vitals.of(karaf.pid());
            int lines = log().size();
            attack(ATTACK, SEED);
            List<String> log = log();
            assertCalm(log);
            assertThat(log.subList(lines, log.size()))
                    .as("what garbage brings into the log")
                    .filteredOn(line -> !LIFE_CYCLE.matcher(line).find())
                    .hasSizeLessThan(MOST_LINES);
            deleteGuestsMadeByGarbage();
            assertNothingHeld(before);
            assertAllServe();
        } catch (Exception | AssertionError e) {
            throw new AssertionError("with -Dvtpm.garbage.seed=" + SEED + ": " + e.getMessage(), e);
        }
    }

    private void create(String name, String endpoint) throws Exception {
        shell("vtpm:create " + name + " --endpoint " + endpoint);
    }

    private String shell(String line) throws Exception {
        Programs.Result result = karaf.shell(line);
        assertThat(result.exit()).as(line + ": " + result.output()).isZero();
        return result.output();
    }

    private void attack(Duration duration, long seed) throws Exception {
        shell("vtpm:restart neighbour");
        Path fifos = karaf.home().resolve("data/vtpm/fifos");
        List<Peer> peers = new ArrayList<>();
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            peers.add(new HonestGuest(SocketTpm.tcp(neighbour, Duration.ofSeconds(20)), seed));
            peers.add(new SocketAttack(new InetSocketAddress(InetAddress.getLoopbackAddress(), demo), seed + 1));
            peers.add(new SocketAttack(UnixDomainSocketAddress.of(socket), seed + 2));
            peers.add(FifoAttack.onBackend(fifos, seed + 3, LEGACY));
            peers.add(FifoAttack.onConsole(fifos, seed + 4, LEGACY));
            long end = System.nanoTime() + duration.toNanos();
            List<Future<Long>> all = peers.stream()
                    .map(peer -> threads.submit(() -> rounds(peer, end)))
                    .toList();
            List<Long> counts = new ArrayList<>();
            for (Future<Long> one : all) {
                counts.add(one.get(duration.plus(PATIENCE).toSeconds(), TimeUnit.SECONDS));
            }
            System.out.println("GarbageIT: rounds of each peer " + counts + "; " + peers.get(0));
            assertThat(counts).as("rounds of each peer").allMatch(count -> count >= duration.toSeconds());
        } finally {
            threads.shutdownNow();
            for (Peer peer : peers) {
                peer.close();
            }
        }
    }

    private static long rounds(Peer peer, long end) throws Exception {
        long count = 0;
        while (System.nanoTime() < end) {
            peer.round();
            count++;
            Thread.sleep(1);
        }
        return count;
    }

    /** An order that happens to be right makes a guest, which may take memory. */
    private void deleteGuestsMadeByGarbage() throws Exception {
        String made = Pattern.compile("vtpm-\\d+")
                .matcher(shell("vtpm:list --json"))
                .results()
                .map(MatchResult::group)
                .distinct()
                .collect(Collectors.joining(" "));
        if (!made.isEmpty()) {
            shell("vtpm:delete --force " + made);
        }
    }

    private void assertNothingHeld(Vitals before) throws Exception {
        Wait.until("what the attack took is given back", Duration.ofMinutes(1), () -> {
            Vitals after = Vitals.of(karaf.pid());
            if (after.heap() > before.heap() + MOST_HEAP
                    || after.threads() > before.threads() + MOST_THREADS
                    || after.descriptors() > before.descriptors() + MOST_DESCRIPTORS) {
                throw new IllegalStateException("it holds " + after + ", before the attack " + before);
            }
            System.out.println("GarbageIT: before " + before + ", after " + after);
            return true;
        });
    }

    private List<String> log() throws IOException {
        return karaf.log().lines().toList();
    }

    private void assertCalm(List<String> log) throws IOException {
        List<String> lines = new ArrayList<>(log);
        lines.addAll(Files.readAllLines(karaf.home().resolve("console.log")));
        assertThat(lines).as("stack traces").noneMatch(line -> line.startsWith("\tat ") || line.contains("Exception"));
    }

    private void assertAllServe() throws Exception {
        // An order that happens to be right may have suspended it.
        if (shell("vtpm:show legacy").contains("SUSPENDED")) {
            shell("vtpm:start --discard legacy");
        }
        shell("vtpm:restart demo local legacy");
        for (SocketTpm tpm : List.of(SocketTpm.tcp(demo), SocketTpm.unix(socket))) {
            try (HonestGuest guest = new HonestGuest(tpm, SEED)) {
                for (int i = 0; i < 100; i++) {
                    guest.round();
                }
            }
        }
        Programs.Result xen = Programs.run(
                Path.of("").toAbsolutePath(),
                Map.of(),
                Duration.ofMinutes(5),
                "",
                List.of(
                        "python3",
                        "legacy/xen.py",
                        karaf.home().resolve("data/vtpm/fifos").toString(),
                        "--instance=1000",
                        "--commands=100"));
        assertThat(xen.exit()).as(xen.output()).isZero();
    }
}
