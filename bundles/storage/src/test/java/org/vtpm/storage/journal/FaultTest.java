package org.vtpm.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.journal.Journals.FOLDER;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.anchor;
import static org.vtpm.storage.journal.Journals.contents;
import static org.vtpm.storage.journal.Journals.key;
import static org.vtpm.storage.journal.Journals.newJournal;
import static org.vtpm.storage.journal.Journals.put;
import static org.vtpm.storage.journal.Journals.remove;
import static org.vtpm.storage.journal.Journals.removeAll;
import static org.vtpm.storage.journal.Journals.settings;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vtpm.storage.disk.SimulatedDisk;
import org.vtpm.storage.disk.SimulatedDisk.Fault;

/** Power is lost, or the disk fails, at every single step of every change. */
class FaultTest {
    private static final JournalKey NEXT = key(2);

    /** A change; it happens wholly or not at all, and once it is acknowledged, it has happened. */
    private enum Act {
        PUT_SMALL {
            @Override
            void run(Journal journal) throws IOException {
                journal.commit(List.of(put(1, "a", 3, "new")));
            }
        },
        PUT_LARGE {
            @Override
            void run(Journal journal) throws IOException {
                // Zeros, so that written sectors look like such as were not.
                journal.commit(List.of(put(1, "a", 3, "new".repeat(100) + "\0".repeat(1200) + "end")));
            }
        },
        SEVERAL {
            @Override
            void run(Journal journal) throws IOException {
                journal.commit(List.of(put(1, "a", 3, "new"), remove(2, "a", 1), put(3, "z", 1, "x"), removeAll(4)));
            }
        },
        ANCHOR {
            @Override
            void run(Journal journal) throws IOException {
                journal.commitAnchor(anchor("2"));
            }
        },
        COMPACT {
            @Override
            void run(Journal journal) throws IOException {
                journal.compact(KEY, List.of());
            }
        },
        COMPACT_WITH_ANOTHER_KEY {
            @Override
            void run(Journal journal) throws IOException {
                journal.compact(NEXT, List.of(put(1, "a", 3, "with")));
            }
        };

        abstract void run(Journal journal) throws IOException;
    }

    /** What the journal has been through before the change. */
    private enum Before {
        /** There is room in the file for small changes. */
        NOTHING {
            @Override
            Journal on(SimulatedDisk disk, int preallocate) throws IOException {
                return Journal.open(disk, FOLDER, KEY, settings(preallocate));
            }
        },
        /** The file ends with a part of a block. */
        A_TORN_END {
            @Override
            Journal on(SimulatedDisk disk, int preallocate) throws IOException {
                try (Journal journal = Journal.open(disk, FOLDER, KEY, settings(preallocate))) {
                    disk.failAfter(1, Fault.ONCE);
                    assertThatThrownBy(() -> journal.commit(List.of(put(1, "a", 3, "lost".repeat(400)))))
                            .hasMessageContaining("the disk fails");
                }
                return Journal.open(disk, FOLDER, KEY, settings(preallocate));
            }
        },
        /** A commit could not be written. */
        A_FAILED_WRITE {
            @Override
            Journal on(SimulatedDisk disk, int preallocate) throws IOException {
                Journal journal = Journal.open(disk, FOLDER, KEY, settings(preallocate));
                disk.failAfter(1, Fault.ONCE);
                assertThatThrownBy(() -> journal.commit(List.of(put(1, "a", 3, "lost".repeat(400)))))
                        .hasMessageContaining("the disk fails");
                return journal;
            }
        },
        /** A commit could not be synced. */
        A_FAILED_SYNC {
            @Override
            Journal on(SimulatedDisk disk, int preallocate) throws IOException {
                Journal journal = Journal.open(disk, FOLDER, KEY, settings(preallocate));
                disk.failNextSync();
                assertThatThrownBy(() -> journal.commit(List.of(put(1, "a", 3, "lost"))))
                        .hasMessageContaining("the disk fails");
                disk.evict();
                return journal;
            }
        };

        abstract Journal on(SimulatedDisk disk, int preallocate) throws IOException;
    }

    private static Stream<Arguments> cases() {
        return Arrays.stream(Act.values())
                .flatMap(act -> Arrays.stream(Before.values())
                        .flatMap(before -> Stream.of(0, 1024).map(size -> Arguments.of(act, before, size))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void powerIsLostAtEveryStep(Act act, Before before, int preallocate) throws Exception {
        Map<String, String> old = old();
        Map<String, String> done = done(act);
        Set<Map<String, String>> seen = new HashSet<>();
        boolean acknowledged = false;
        for (int steps = 0; !acknowledged; steps++) {
            SimulatedDisk disk = filled(preallocate);
            Journal journal = before.on(disk, preallocate);
            disk.failAfter(steps, Fault.LASTING);
            try {
                act.run(journal);
                acknowledged = true;
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("the disk fails");
            }
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                Map<String, String> contents;
                try (Journal reopened = reopen(left)) {
                    contents = contents(reopened);
                    seen.add(contents);
                    if (acknowledged) {
                        assertThat(contents).isEqualTo(done);
                    } else if (!before.name().startsWith("A_FAILED")) {
                        assertThat(contents).isIn(old, done);
                    } else {
                        // What was reported as failed may be there, too, until a commit after it succeeds.
                        assertThat(contents)
                                .satisfiesAnyOf(
                                        c -> assertThat(c).isIn(old, done),
                                        c -> assertThat(c.get("1 a")).startsWith("3 lost"));
                    }
                    if (contents.equals(done) || reopened.hostKeyId()[0] == 2) {
                        continue;
                    }
                    if (contents.equals(old)) {
                        act.run(reopened);
                    } else {
                        reopened.commit(List.of(put(1, "a", 4, "next")));
                    }
                    contents = contents(reopened);
                }
                try (Journal again = reopen(left)) {
                    assertThat(contents(again)).isEqualTo(contents);
                }
            }
        }
        assertThat(seen).contains(old, done);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theDiskFailsOnce(Act act, Before before, int preallocate) throws Exception {
        failAndRepair(act, before, preallocate, Fault.ONCE);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theDiskFailsForAWhile(Act act, Before before, int preallocate) throws Exception {
        failAndRepair(act, before, preallocate, Fault.LASTING);
    }

    /** After a change that failed there is what was before; the same change succeeds when the disk does, and lasts. */
    private static void failAndRepair(Act act, Before before, int preallocate, Fault fault) throws Exception {
        Map<String, String> old = old();
        Map<String, String> done = done(act);
        int failures = 0;
        boolean untouched = false;
        for (int steps = 0; !untouched; steps++) {
            SimulatedDisk disk = filled(preallocate);
            try (Journal journal = before.on(disk, preallocate)) {
                int taken = disk.stepsTaken();
                disk.failAfter(steps, fault);
                try {
                    act.run(journal);
                    untouched = disk.stepsTaken() - taken <= steps;
                } catch (IOException e) {
                    failures++;
                    assertThat(e).hasMessageContaining("the disk fails");
                    if (fault == Fault.LASTING) {
                        assertThatThrownBy(() -> journal.commit(List.of(put(9, "a", 1, "also lost"))))
                                .hasMessageContaining("the disk fails");
                    }
                    disk.repair();
                    disk.evict();
                    // A compaction's last step is that its new name becomes durable; it counts before that.
                    boolean counts = contents(journal).equals(done);
                    assertThat(contents(journal)).isEqualTo(counts ? done : old);
                    if (!counts) {
                        act.run(journal);
                    } else {
                        journal.commit(List.of(put(9, "b", 1, "makes it durable"), removeAll(9)));
                    }
                }
                assertThat(contents(journal)).isEqualTo(done);
                disk.repair();
                journal.commit(List.of(put(8, "a", 1, "next")));
                disk.evict();
                Map<String, String> next = new TreeMap<>(done);
                next.put("8 a", "1 next");
                assertThat(contents(journal)).isEqualTo(next);
                for (SimulatedDisk left : disk.afterPowerLoss()) {
                    try (Journal reopened = reopen(left)) {
                        assertThat(contents(reopened)).isEqualTo(next);
                    }
                }
            }
            try (Journal reopened = reopen(disk)) {
                assertThat(contents(reopened)).containsEntry("8 a", "1 next");
            }
        }
        assertThat(failures).isPositive();
    }

    @Test
    void powerIsLostWhileTheJournalIsMade() throws Exception {
        boolean done = false;
        for (int steps = 0; !done; steps++) {
            SimulatedDisk disk = new SimulatedDisk();
            disk.failAfter(steps, Fault.LASTING);
            try {
                newJournal(disk, put(1, "a", 1, "x".repeat(700)), put(2, "a", 1, "y"));
                done = true;
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("the disk fails");
            }
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                boolean there = Journal.hostKeyId(left, FOLDER).isPresent();
                assertThat(there || !done).isTrue();
                try (Journal journal = there ? reopen(left) : newJournal(left, put(1, "a", 1, "z"))) {
                    assertThat(contents(journal)).hasSize(there ? 2 : 1);
                }
            }
        }
    }

    @Test
    void aProgramThatIsKilledAfterAFailedSyncLosesNothingThatIsCommittedAfterwards() throws Exception {
        int seen = 0;
        for (int steps = 0; steps < 8; steps++) {
            SimulatedDisk disk = filled(1024);
            Journal journal = Journals.open(disk);
            disk.failAfter(steps, Fault.LASTING);
            try {
                journal.commit(List.of(put(1, "a", 3, "in the kernel's memory only")));
                break;
            } catch (IOException e) {
                disk.repair();
            }
            // The next one may read what the kernel still has in memory, but will never write.
            Journal next = Journals.open(disk);
            long version = next.lastVersion(Journals.item(1, "a"));
            seen += version == 3 ? 1 : 0;
            String expected = (version + 1) + " builds on it";
            next.commit(List.of(put(1, "a", version + 1, "builds on it")));
            disk.evict();
            assertThat(contents(next)).containsEntry("1 a", expected);
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                assertThat(contents(reopen(left))).containsEntry("1 a", expected);
            }
        }
        assertThat(seen).isPositive();
    }

    @Test
    void aFullDiskIsOvercomeWhenThereIsRoomAgain() throws Exception {
        for (int room = 0; room < 6000; room += 100) {
            SimulatedDisk disk = filled(1024);
            Map<String, String> expected = new TreeMap<>(old());
            try (Journal journal = Journals.open(disk)) {
                disk.limitTo(disk.used() + room);
                int version = 1;
                boolean full = false;
                while (!full) {
                    try {
                        journal.commit(List.of(put(5, "a", version, "x".repeat(300))));
                        expected.put("5 a", version + " " + "x".repeat(300));
                        version++;
                    } catch (IOException e) {
                        full = true;
                        assertThat(e).hasMessageContaining("No space left");
                    }
                    assertThat(contents(journal)).isEqualTo(expected);
                }
                assertThatThrownBy(() -> journal.compact(KEY, List.of())).hasMessageContaining("No space left");
                assertThat(disk.list(FOLDER)).containsExactly("0000000000000001");
                for (SimulatedDisk left : disk.afterPowerLoss()) {
                    assertThat(contents(reopen(left))).isEqualTo(expected);
                }
                disk.limitTo(1 << 20);
                journal.commit(List.of(put(5, "a", version, "y")));
                expected.put("5 a", version + " y");
                for (SimulatedDisk left : disk.afterPowerLoss()) {
                    assertThat(contents(reopen(left))).isEqualTo(expected);
                }
            }
        }
    }

    private static SimulatedDisk filled(int preallocate) throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Change[] first = {put(1, "a", 1, "first"), put(2, "a", 1, "second"), put(4, "a", 1, "x"), put(4, "b", 1, "y")};
        try (Journal journal = Journal.create(disk, FOLDER, KEY, List.of(first), settings(preallocate))) {
            journal.commit(List.of(put(1, "a", 2, "old")));
            journal.commitAnchor(anchor("1"));
        }
        return disk;
    }

    private static Map<String, String> old() throws IOException {
        return contents(Journals.open(filled(0)));
    }

    private static Map<String, String> done(Act act) throws IOException {
        Journal journal = Journals.open(filled(0));
        act.run(journal);
        return contents(journal);
    }

    private static Journal reopen(SimulatedDisk disk) throws IOException {
        boolean next = Journal.hostKeyId(disk, FOLDER).orElseThrow()[0] == 2;
        return Journal.open(disk, FOLDER, next ? NEXT : KEY, settings(1024));
    }
}
