package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.load;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.uuid;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateSnapshot;
import org.vtpm.storage.disk.SimulatedDisk;

class SnapshotsTest {
    private static final Path ROOT = Path.of("/storage");

    private final SimulatedDisk disk = new SimulatedDisk();
    private JournalStore store;

    @BeforeEach
    void open() throws StateException {
        store = Samples.open(disk, ROOT, new TestRoot());
    }

    @AfterEach
    void close() throws Exception {
        store.close();
    }

    private void reopen() throws Exception {
        close();
        open();
    }

    @Test
    void stateThatWasPutByComesBack() throws Exception {
        store.create(record("demo"), permanent("first"));
        store.save(uuid("demo"), Map.of(StateKind.SAVED, bytes("saved")));
        store.takeSnapshot(uuid("demo"), "before-update");
        store.save(
                uuid("demo"),
                Map.of(
                        StateKind.PERMANENT, bytes("second"),
                        StateKind.SAVED, new byte[0],
                        StateKind.VOLATILE, bytes("running")));
        reopen();
        assertThat(store.snapshots(uuid("demo")))
                .extracting(StateSnapshot::name)
                .containsExactly("before-update");
        store.restoreSnapshot(uuid("demo"), "before-update");
        assertThat(load(store, "demo")).isEqualTo(Map.of(StateKind.PERMANENT, "first", StateKind.SAVED, "saved"));
        store.dropSnapshot(uuid("demo"), "before-update");
        assertThat(store.snapshots(uuid("demo"))).isEmpty();
        assertThatThrownBy(() -> store.restoreSnapshot(uuid("demo"), "before-update"))
                .hasMessageContaining("has no snapshot \"before-update\"");
    }

    @Test
    void namesOfSnapshotsAreChecked() throws Exception {
        store.create(record("demo"), permanent("first"));
        store.takeSnapshot(uuid("demo"), "one");
        assertThatThrownBy(() -> store.takeSnapshot(uuid("demo"), "one")).hasMessageContaining("already");
        for (String name : List.of("", "a/b", "a b", "n".repeat(65))) {
            assertThatThrownBy(() -> store.takeSnapshot(uuid("demo"), name)).hasMessageContaining("cannot be the name");
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
