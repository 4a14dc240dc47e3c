package org.vtpm.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateStore;
import org.vtpm.storage.disk.Disk;

/** Instances and states that the tests store. */
final class Samples {
    private Samples() {}

    /** Opens a storage folder with these roots of trust, best first. */
    static JournalStore open(Disk disk, Path root, RootOfTrust... roots) throws StateException {
        return new StorageOpener(disk, root, () -> List.of(roots), Runnable::run).open();
    }

    static UUID uuid(String name) {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    }

    static InstanceRecord record(String name) {
        return new InstanceRecord(
                uuid(name),
                name,
                TpmFamily.TPM_1_2,
                Isolation.PROCESS,
                StartupMode.STATE,
                "fifo",
                List.of(URI.create("tcp:127.0.0.1:6545"), URI.create("unix:/run/" + name)),
                Wanted.STOPPED,
                Instant.ofEpochSecond(1_800_000_000L, 123_456_789));
    }

    static InstanceRecord suspended(InstanceRecord record) {
        return new InstanceRecord(
                record.uuid(),
                record.name(),
                record.family(),
                record.isolation(),
                record.startup(),
                null,
                List.of(),
                Wanted.SUSPENDED,
                record.created());
    }

    static Map<StateKind, byte[]> permanent(String text) {
        return Map.of(StateKind.PERMANENT, text.getBytes(StandardCharsets.UTF_8));
    }

    /** The state of an instance as text, so that it can be compared. */
    static Map<StateKind, String> load(StateStore store, String name) throws StateException {
        Map<StateKind, String> texts = new EnumMap<>(StateKind.class);
        store.load(uuid(name)).forEach((kind, part) -> texts.put(kind, new String(part, StandardCharsets.UTF_8)));
        return texts;
    }

    static void assertState(StateStore store, String name, String permanent) throws StateException {
        assertThat(load(store, name)).isEqualTo(Map.of(StateKind.PERMANENT, permanent));
    }
}
