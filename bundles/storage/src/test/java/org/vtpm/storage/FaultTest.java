package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.load;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.suspended;
import static org.vtpm.storage.Samples.uuid;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateStore;
import org.vtpm.storage.disk.SimulatedDisk;
import org.vtpm.storage.disk.SimulatedDisk.Fault;

/** Power is lost, or the disk fails, at every single step of every change. */
class FaultTest {
    private static final Path ROOT = Path.of("/storage");
    private static final String OLD = "old state";
    private static final String NEW = "new state, which is longer";
    private static final String OTHER = "state of the other instance";

    /** A change, and what may be there after it: all of it or nothing, or, once it is acknowledged, all of it. */
    private enum Change {
        CREATE {
            @Override
            void make(StateStore store) throws StateException {
                store.create(record("third"), permanent(NEW));
            }

            @Override
            boolean isDone(StateStore store) throws StateException {
                if (records(store).containsKey("third")) {
                    assertThat(records(store)).containsEntry("third", record("third"));
                    assertState(store, "third", NEW);
                    return true;
                }
                return false;
            }
        },
        SAVE {
            @Override
            void make(StateStore store) throws StateException {
                store.save(
                        uuid("first"),
                        Map.of(StateKind.PERMANENT, NEW.getBytes(UTF_8), StateKind.SAVED, "saved".getBytes(UTF_8)));
            }

            @Override
            boolean isDone(StateStore store) throws StateException {
                Map<StateKind, String> state = load(store, "first");
                assertThat(state)
                        .isIn(
                                Map.of(StateKind.PERMANENT, OLD),
                                Map.of(StateKind.PERMANENT, NEW, StateKind.SAVED, "saved"));
                return state.containsKey(StateKind.SAVED);
            }
        },
        UPDATE {
            @Override
            void make(StateStore store) throws StateException {
                store.update(suspended(record("first")));
            }

            @Override
            boolean isDone(StateStore store) throws StateException {
                assertState(store, "first", OLD);
                assertThat(records(store).get("first")).isIn(record("first"), suspended(record("first")));
                return records(store).get("first").wanted() == Wanted.SUSPENDED;
            }
        },
        DELETE {
            @Override
            void make(StateStore store) throws StateException {
                store.delete(uuid("first"));
            }

            @Override
            boolean isDone(StateStore store) throws StateException {
                if (records(store).containsKey("first")) {
                    assertState(store, "first", OLD);
                    return false;
                }
                return true;
            }
        };

        abstract void make(StateStore store) throws StateException;

        abstract boolean isDone(StateStore store) throws StateException;
    }

    @ParameterizedTest
    @EnumSource
    void powerIsLostAtEveryStep(Change change) throws Exception {
        boolean acknowledged = false;
        int seenUndone = 0;
        for (int steps = 0; !acknowledged; steps++) {
            SimulatedDisk disk = filled();
            JournalStore store = open(disk);
            disk.failAfter(steps, Fault.LASTING);
            try {
                change.make(store);
                acknowledged = true;
            } catch (StateException e) {
                assertThat(e).hasMessageContaining("the disk fails");
            }
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                JournalStore reopened = open(left);
                assertState(reopened, "second", OTHER);
                boolean done = change.isDone(reopened);
                if (acknowledged) {
                    assertThat(done)
                            .as("acknowledged change after step %d", steps)
                            .isTrue();
                }
                seenUndone += done ? 0 : 1;
                if (!done) {
                    change.make(reopened);
                    assertThat(change.isDone(reopened)).isTrue();
                }
            }
        }
        assertThat(seenUndone).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void oneStepFails(Change change) throws Exception {
        int failures = 0;
        for (int steps = 0; steps < stepsOf(change); steps++) {
            SimulatedDisk disk = filled();
            JournalStore store = open(disk);
            disk.failAfter(steps, Fault.ONCE);
            try {
                change.make(store);
            } catch (StateException e) {
                failures++;
                assertThat(e).hasMessageContaining("the disk fails").hasMessageContaining("Nothing was changed");
                assertThat(change.isDone(store))
                        .as("change that failed at step %d", steps)
                        .isFalse();
                store = reopen(disk, store);
                assertThat(change.isDone(store)).isFalse();
                change.make(store);
            }
            assertThat(change.isDone(store)).isTrue();
            assertState(store, "second", OTHER);
        }
        assertThat(failures).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void theDiskFailsForAWhile(Change change) throws Exception {
        for (int steps = 0; steps < stepsOf(change); steps++) {
            SimulatedDisk disk = filled();
            JournalStore store = open(disk);
            disk.failAfter(steps, Fault.LASTING);
            boolean acknowledged = false;
            try {
                change.make(store);
                acknowledged = true;
            } catch (StateException e) {
                assertThat(e).hasMessageContaining("the disk fails");
            }
            disk.repair();
            // Put back at once if that can be done; all of the change or nothing in any case.
            store = reopen(disk, store);
            if (!change.isDone(store)) {
                assertThat(acknowledged).isFalse();
                change.make(store);
                assertThat(change.isDone(store)).isTrue();
            }
        }
    }

    @Test
    void powerIsLostAtTheFirstStart() throws Exception {
        boolean done = false;
        for (int steps = 0; !done; steps++) {
            SimulatedDisk disk = new SimulatedDisk();
            disk.failAfter(steps, Fault.LASTING);
            try {
                open(disk);
                done = true;
            } catch (StateException e) {
                assertThat(e).hasMessageContaining("cannot be opened");
            }
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                JournalStore store = open(left);
                assertThat(store.instances()).isEmpty();
                store.create(record("first"), permanent(OLD));
                assertState(reopen(left, store), "first", OLD);
            }
        }
    }

    @Test
    void aDiskThatFailsDoesNotLetTheNextSaveGetLost() throws Exception {
        SimulatedDisk disk = filled();
        JournalStore store = open(disk);
        for (int steps = 0; steps < stepsOf(Change.SAVE); steps++) {
            disk.failAfter(steps, Fault.ONCE);
            assertThatThrownBy(() -> store.save(uuid("first"), permanent("not stored")))
                    .isInstanceOf(StateException.class);
            String next = "stored after failure " + steps;
            store.save(uuid("first"), permanent(next));
            for (SimulatedDisk left : disk.afterPowerLoss()) {
                assertState(open(left), "first", next);
            }
        }
    }

    private static int stepsOf(Change change) throws Exception {
        SimulatedDisk disk = filled();
        JournalStore store = open(disk);
        int before = disk.stepsTaken();
        change.make(store);
        return disk.stepsTaken() - before;
    }

    private static SimulatedDisk filled() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        try (JournalStore store = open(disk)) {
            store.create(record("first"), permanent("first state"));
            store.create(record("second"), permanent(OTHER));
            store.save(uuid("first"), permanent(OLD));
        }
        return disk;
    }

    private static JournalStore open(SimulatedDisk disk) throws StateException {
        return Samples.open(disk, ROOT, new TestRoot());
    }

    private static JournalStore reopen(SimulatedDisk disk, JournalStore before) throws Exception {
        before.close();
        return open(disk);
    }

    private static Map<String, InstanceRecord> records(StateStore store) throws StateException {
        return store.instances().stream().collect(Collectors.toMap(InstanceRecord::name, record -> record));
    }
}
