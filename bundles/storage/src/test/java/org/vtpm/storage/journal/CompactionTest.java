package org.vtpm.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.journal.Journals.FOLDER;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.contents;
import static org.vtpm.storage.journal.Journals.item;
import static org.vtpm.storage.journal.Journals.open;
import static org.vtpm.storage.journal.Journals.put;
import static org.vtpm.storage.journal.Journals.remove;
import static org.vtpm.storage.journal.Journals.removeAll;
import static org.vtpm.storage.journal.Journals.settings;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.storage.disk.SimulatedDisk;
import org.vtpm.storage.disk.SimulatedDisk.Fault;

/** The journal is compacted while commits go on. */
class CompactionTest {
    private static final String LARGE = "x".repeat(5000);

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void powerIsLostDuringCompactionUnderLoad(int round) throws Exception {
        boolean ended = false;
        for (int steps = 20 * round; !ended && steps < 20 * round + 400; steps += 7) {
            SimulatedDisk disk = filled();
            Journal journal = open(disk);
            Map<Integer, Long> acknowledged = new ConcurrentHashMap<>();
            disk.failAfter(steps, Fault.LASTING);
            ExecutorService threads = Executors.newFixedThreadPool(4);
            List<Future<?>> writers = new ArrayList<>();
            for (int writer = 0; writer < 3; writer++) {
                int owner = 100 + writer;
                writers.add(threads.submit(() -> {
                    for (long version = 1; version <= 60; version++) {
                        journal.commit(List.of(put(owner, "a", version, "v" + version)));
                        acknowledged.put(owner, version);
                    }
                    return null;
                }));
            }
            try {
                journal.compact(KEY, List.of());
                journal.compact(KEY, List.of());
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("the disk fails");
            }
            boolean all = true;
            for (Future<?> writer : writers) {
                try {
                    writer.get(60, TimeUnit.SECONDS);
                } catch (ExecutionException e) {
                    all = false;
                    assertThat(e).hasMessageContaining("the disk fails");
                }
            }
            threads.shutdown();
            ended = all;
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                try (Journal reopened = open(left)) {
                    Map<String, String> contents = contents(reopened);
                    assertThat(contents).containsEntry("1 a", "2 changed").containsEntry("3 large", "1 " + LARGE);
                    acknowledged.forEach((owner, version) -> {
                        long last = reopened.lastVersion(item(owner, "a"));
                        // The next one was not acknowledged, but may be there.
                        assertThat(last).isBetween(version, version + 1);
                        assertThat(contents).containsEntry(owner + " a", last + " v" + last);
                    });
                }
            }
        }
    }

    @Test
    void allThatIsCommittedDuringCompactionsIsThere() throws Exception {
        SimulatedDisk disk = filled();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        Map<String, String> expected;
        try (Journal journal = open(disk)) {
            List<Future<?>> writers = new ArrayList<>();
            AtomicBoolean stop = new AtomicBoolean();
            for (int writer = 0; writer < 6; writer++) {
                int owner = 100 + writer;
                writers.add(threads.submit(() -> {
                    for (int round = 0; round < 150; round++) {
                        long next = journal.lastVersion(item(owner, "a")) + 1;
                        journal.commit(List.of(put(owner, "a", next, "v" + round)));
                        if (round % 10 == 3) {
                            journal.commit(List.of(remove(owner, "a", next)));
                        }
                        if (round % 50 == 7) {
                            journal.commit(List.of(removeAll(owner)));
                        }
                        if (round % 10 == 5) {
                            Item item = journal.find(item(owner, "a")).orElseThrow();
                            assertThat(journal.read(item)).asString().isEqualTo("v" + round);
                        }
                    }
                    return null;
                }));
            }
            Future<?> compactor = threads.submit(() -> {
                while (!stop.get()) {
                    journal.compact(KEY, List.of());
                }
                return null;
            });
            for (Future<?> writer : writers) {
                writer.get(120, TimeUnit.SECONDS);
            }
            stop.set(true);
            compactor.get(120, TimeUnit.SECONDS);
            expected = contents(journal);
            assertThat(expected).hasSize(3 + 6).containsEntry("100 a", "42 v149");
        }
        threads.shutdown();
        try (Journal reopened = open(disk)) {
            assertThat(contents(reopened)).isEqualTo(expected);
        }
        assertThat(JournalVerifier.verify(disk, FOLDER).findings()).isEmpty();
    }

    /** The sync of a commit fails while the background copies: the leader moves to a new file, and the copy is given up. */
    @Test
    void aCompactionIsGivenUpWhenTheJournalMovesUnderIt() throws Exception {
        SimulatedDisk disk = filled();
        ExecutorService threads = Executors.newCachedThreadPool();
        try (Journal journal = open(disk)) {
            SimulatedDisk.Gate gate = disk.holdNextSync();
            Future<?> compaction = threads.submit(() -> {
                journal.compact(KEY, List.of());
                return null;
            });
            gate.awaitArrival();
            disk.failNextSync();
            assertThatThrownBy(() -> journal.commit(List.of(put(7, "a", 1, "lost"))))
                    .hasMessageContaining("the disk fails");
            journal.commit(List.of(put(7, "a", 1, "there")));
            gate.open();
            assertThatThrownBy(() -> compaction.get(60, TimeUnit.SECONDS))
                    .hasMessageContaining("written anew meanwhile");
            assertThat(contents(journal)).containsEntry("7 a", "1 there").hasSize(4);
            journal.compact(KEY, List.of());
            assertThat(disk.list(FOLDER)).containsExactly("0000000000000002", "0000000000000003");
        }
        threads.shutdown();
        assertThat(contents(open(disk))).containsEntry("7 a", "1 there").hasSize(4);
    }

    private static SimulatedDisk filled() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        try (Journal journal =
                Journal.create(disk, FOLDER, KEY, List.of(put(1, "a", 1, "x"), put(2, "a", 1, "y")), settings(1024))) {
            journal.commit(List.of(put(3, "large", 1, LARGE)));
            journal.commit(List.of(put(1, "a", 2, "changed")));
        }
        return disk;
    }
}
