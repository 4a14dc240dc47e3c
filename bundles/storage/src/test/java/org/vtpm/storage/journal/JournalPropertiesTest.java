package org.vtpm.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.journal.Journals.FOLDER;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.anchor;
import static org.vtpm.storage.journal.Journals.contents;
import static org.vtpm.storage.journal.Journals.item;
import static org.vtpm.storage.journal.Journals.open;
import static org.vtpm.storage.journal.Journals.put;
import static org.vtpm.storage.journal.Journals.remove;
import static org.vtpm.storage.journal.Journals.removeAll;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vtpm.storage.disk.SimulatedDisk;

/** Any sequence of operations leaves what it leaves in a plain map. */
class JournalPropertiesTest {
    /** What is done; owners, names and sizes are drawn from few, so that operations meet. */
    record Step(Kind kind, int owner, String name, int size) {
        enum Kind {
            PUT,
            PUT_WRONG,
            REMOVE,
            REMOVE_ALL,
            SEVERAL,
            ANCHOR,
            REOPEN,
            COMPACT,
            FAILED_SYNC,
            FAILED_WRITE
        }
    }

    /** The model: contents, and the last versions of what there is and was. */
    private static final class Model {
        private final Map<String, String> contents = new TreeMap<>();
        private final Map<String, Long> versions = new HashMap<>();
        private long anchors;

        private static String key(int owner, String name) {
            return owner + " " + name;
        }

        private Change.Put put(int owner, String name, int size) {
            String key = key(owner, name);
            long version = versions.merge(key, 1L, Long::sum);
            String content = "x".repeat(size);
            contents.put(key, version + " " + content);
            return Journals.put(owner, name, version, content);
        }

        private void removeAll(int owner) {
            contents.keySet().removeIf(key -> key.startsWith(owner + " "));
            versions.keySet().removeIf(key -> key.startsWith(owner + " "));
        }
    }

    @Property(tries = 300)
    void theJournalIsAMap(@ForAll("steps") List<Step> steps) throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Model model = new Model();
        Journal journal = Journal.create(disk, FOLDER, KEY, List.of(), Journals.settings(512));
        for (Step step : steps) {
            journal = run(step, disk, journal, model);
            assertThat(contents(journal)).isEqualTo(model.contents);
        }
        byte[] root = journal.root();
        journal.close();
        journal = open(disk);
        assertThat(contents(journal)).isEqualTo(model.contents);
        assertThat(journal.root()).isEqualTo(root);
        journal.compact(KEY, List.of());
        assertThat(journal.root()).isEqualTo(root);
        assertThat(JournalVerifier.verify(disk, FOLDER).findings()).isEmpty();
    }

    private static Journal run(Step step, SimulatedDisk disk, Journal journal, Model model) throws IOException {
        int owner = step.owner();
        String name = step.name();
        String key = Model.key(owner, name);
        long version = model.versions.getOrDefault(key, 0L);
        assertThat(journal.lastVersion(item(owner, name))).isEqualTo(version);
        switch (step.kind()) {
            case PUT -> journal.commit(List.of(model.put(owner, name, step.size())));
            case PUT_WRONG -> {
                // The same version again, or one that is left out where there was none.
                long wrong = version == 0 ? 2 : version;
                assertThatThrownBy(() -> journal.commit(List.of(put(owner, name, wrong, "x"))))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            case REMOVE -> {
                if (model.contents.remove(key) != null) {
                    journal.commit(List.of(remove(owner, name, version)));
                } else {
                    assertThatThrownBy(() -> journal.commit(List.of(remove(owner, name, version))))
                            .isInstanceOf(IllegalArgumentException.class);
                }
            }
            case REMOVE_ALL -> {
                journal.commit(List.of(removeAll(owner)));
                model.removeAll(owner);
            }
            case SEVERAL -> {
                List<Change> changes = new ArrayList<>();
                changes.add(model.put(owner, name, step.size()));
                changes.add(removeAll(owner + 1));
                model.removeAll(owner + 1);
                changes.add(model.put(owner + 1, name, 1));
                changes.add(model.put(owner, name, 2));
                journal.commit(changes);
            }
            case ANCHOR -> {
                journal.commitAnchor(anchor("x"));
                model.contents.put("anchor", ++model.anchors + " x");
            }
            case REOPEN -> {
                journal.close();
                return open(disk);
            }
            case COMPACT -> journal.compact(KEY, List.of(model.put(owner, name, step.size())));
            case FAILED_SYNC, FAILED_WRITE -> {
                if (step.kind() == Step.Kind.FAILED_SYNC) {
                    disk.failNextSync();
                } else {
                    disk.failAfter(1, SimulatedDisk.Fault.ONCE);
                }
                assertThatThrownBy(() -> journal.commit(List.of(put(9, "lost" + version, 1, "x".repeat(step.size())))))
                        .hasMessageContaining("the disk fails");
                disk.evict();
                disk.repair();
                // Makes the loss final; without it, what was lost may come back after opening again.
                journal.commit(List.of(model.put(owner, name, 1)));
            }
        }
        return journal;
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(Step.Kind.class),
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.of("a", "b"),
                        Arbitraries.of(0, 1, 300, 412, 511, 600, 2000))
                .as(Step::new)
                .list()
                .ofMaxSize(25);
    }
}
