package org.vtpm.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration.KeyLevel;
import org.vtpm.storage.disk.SimulatedDisk;
import org.vtpm.storage.disk.SimulatedDisk.Fault;

/**
 * Managers that are killed, or lose power, at any write, sync, rename or command to the TPM, again and again on the same
 * storage: what was acknowledged is there, what was not is there wholly or not at all, and no instance is taken for an old one. The
 * system property {@code vtpm.crash.rounds} says how many storages are tried, {@code vtpm.crash.seed} where to begin.
 */
class CrashTest {
    private static final int ROUNDS = Integer.getInteger("vtpm.crash.rounds", 60);
    private static final long SEED = Long.getLong("vtpm.crash.seed", 1);
    private static final int LIVES = 5;
    private static final int MOST_STEPS = 60;
    private static final List<KeyLevel> LEVELS = List.of(KeyLevel.HOST, KeyLevel.WRAPPING, KeyLevel.DATA);
    private static final Path FOLDER = Path.of("/storage");

    @Test
    void noLifeLosesAnything() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            Story story = new Story(SEED + round);
            for (int life = 0; life < LIVES; life++) {
                story.live();
            }
            story.end();
        }
    }

    /** One storage, and what may be in it. */
    private static final class Story {
        private final long seed;
        private final Random random;
        private final CountingRoot root = new CountingRoot();
        /** For each instance the states that it may have; nothing stands for not being there. */
        private final Map<String, Set<Optional<String>>> expected = new HashMap<>();

        private SimulatedDisk disk = new SimulatedDisk();
        private int written;

        private Story(long seed) throws Exception {
            this.seed = seed;
            random = new Random(seed);
            try (JournalStore store = open()) {
                admin(store).enroll("test", SealingTerms.NONE);
            }
        }

        private void live() throws Exception {
            boolean early = random.nextInt(4) == 0;
            JournalStore store;
            if (early) {
                strike();
                try {
                    store = open();
                } catch (StateException e) {
                    die();
                    return;
                }
            } else {
                store = open();
                check(store);
                strike();
            }
            try {
                while (true) {
                    act(store);
                }
            } catch (IOException e) {
                die();
            }
        }

        /** All is as it should be, and can be changed. */
        private void end() throws Exception {
            try (JournalStore store = open()) {
                check(store);
                store.create(Samples.record("last"), Samples.permanent("state"));
            }
        }

        private void strike() {
            int steps = random.nextInt(MOST_STEPS);
            if (random.nextInt(3) == 0) {
                root.dieAfter(random.nextInt(6), random.nextBoolean(), () -> disk.failAfter(0, Fault.LASTING));
                disk.failAfter(2 * MOST_STEPS + steps, Fault.LASTING);
            } else {
                disk.failAfter(steps, Fault.LASTING);
            }
        }

        private void die() {
            root.live();
            if (random.nextBoolean()) {
                disk = disk.copy();
            } else {
                List<SimulatedDisk> left = disk.afterPowerLoss();
                disk = left.get(random.nextInt(left.size()));
            }
        }

        private void act(JournalStore store) throws IOException {
            String name = "guest" + random.nextInt(3);
            Optional<String> next = Optional.of("state " + written++ + "x".repeat(random.nextInt(3000)));
            Set<Optional<String>> before = expected.getOrDefault(name, Set.of(Optional.empty()));
            // An earlier change of this life was acknowledged, so that there is one state only.
            boolean there = before.iterator().next().isPresent();
            switch (random.nextInt(there ? 12 : 2)) {
                case 0 -> store.guard().anchor();
                case 1 -> {
                    if (there) {
                        change(name, Optional.empty(), () -> store.delete(Samples.uuid(name)));
                    } else {
                        change(name, next, () -> store.create(Samples.record(name), permanent(next)));
                    }
                }
                case 2 -> store.journal().compact();
                case 3 -> store.update(Samples.record(name));
                case 4 -> rotate(store, LEVELS.get(random.nextInt(LEVELS.size())));
                case 5 -> snapshot(store, name);
                default -> change(name, next, () -> store.save(Samples.uuid(name), permanent(next)));
            }
        }

        private void snapshot(JournalStore store, String name) throws IOException {
            store.takeSnapshot(Samples.uuid(name), "kept");
            store.restoreSnapshot(Samples.uuid(name), "kept");
            store.dropSnapshot(Samples.uuid(name), "kept");
        }

        private void rotate(JournalStore store, KeyLevel level) throws IOException {
            new StorageAdmin(new StorageFolder(disk, FOLDER), store, admin(store)).rotate(level);
        }

        @FunctionalInterface
        private interface Change {
            void make() throws IOException;
        }

        private void change(String name, Optional<String> next, Change change) throws IOException {
            Set<Optional<String>> before = expected.getOrDefault(name, Set.of(Optional.empty()));
            Set<Optional<String>> either = new HashSet<>(before);
            either.add(next);
            expected.put(name, either);
            change.make();
            expected.put(name, Set.of(next));
        }

        /** From here on it is known what is there. */
        private void check(JournalStore store) throws IOException {
            Set<String> names =
                    store.instances().stream().map(record -> record.name()).collect(Collectors.toSet());
            List<String> all = new ArrayList<>(expected.keySet());
            assertThat(all).as("seed %d", seed).containsAll(names);
            for (String name : all) {
                Optional<String> found = names.contains(name)
                        ? Optional.of(Samples.load(store, name).get(StateKind.PERMANENT))
                        : Optional.empty();
                assertThat(expected.get(name)).as("seed %d, %s", seed, name).contains(found);
                expected.put(name, Set.of(found));
            }
            for (String name : names) {
                // What a snapshot's three changes left when they were cut short.
                for (var snapshot : store.snapshots(Samples.uuid(name))) {
                    store.dropSnapshot(Samples.uuid(name), snapshot.name());
                }
            }
        }

        private JournalStore open() throws StateException {
            return Samples.open(disk, FOLDER, root);
        }

        private RootAdmin admin(JournalStore store) {
            return new RootAdmin(new StorageFolder(disk, FOLDER), () -> List.of(root), new RootAdmin.Storage() {
                @Override
                public JournalStore store() {
                    return store;
                }

                @Override
                public void open(StorageOpener.Release release) {
                    throw new UnsupportedOperationException();
                }
            });
        }

        private static Map<StateKind, byte[]> permanent(Optional<String> state) {
            return Map.of(StateKind.PERMANENT, state.orElseThrow().getBytes(StandardCharsets.UTF_8));
        }
    }
}
