package org.vtpm.storage;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateSnapshot;
import org.vtpm.codec.Rest;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.ItemKey;
import org.vtpm.storage.key.Layouts;

/** State that the operator put by under a name. */
final class Snapshots {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final Owners owners;
    private final KeyedJournal journal;
    private final SealedState states;
    private final Refusals refusals;
    private final SecureRandom random;

    private record Layout(long takenSecond, @Rest byte[] sealed) {}

    Snapshots(Owners owners, KeyedJournal journal, SealedState states, Refusals refusals, SecureRandom random) {
        this.owners = owners;
        this.journal = journal;
        this.states = states;
        this.refusals = refusals;
        this.random = random;
    }

    /** All of an instance, the oldest first. */
    List<StateSnapshot> list(UUID instance) throws StateException {
        return owners.on(instance, () -> {
            List<StateSnapshot> snapshots = new ArrayList<>();
            for (Item item : items(instance)) {
                Layout layout = layout(item);
                snapshots.add(new StateSnapshot(item.key().name(), Instant.ofEpochSecond(layout.takenSecond)));
            }
            snapshots.sort(Comparator.comparing(StateSnapshot::taken).thenComparing(StateSnapshot::name));
            return snapshots;
        });
    }

    void take(UUID instance, String name) throws StateException {
        owners.on(instance, () -> {
            refusals.check(instance);
            ItemKey key = ItemKind.SNAPSHOT.of(instance, name);
            if (!NAME.matcher(name).matches()) {
                throw new StateException(
                        "\"" + name + "\" cannot be the name of a snapshot: 1 to 64 letters, digits, dots,"
                                + " dashes and underscores can");
            }
            if (journal.find(key).isPresent()) {
                throw new StateException("Instance " + instance + " has a snapshot \"" + name + "\" already");
            }
            try (InstanceSeal seal = states.seal(instance)) {
                Map<StateKind, byte[]> state = states.read(instance, seal);
                byte[] plaintext = StateParts.encode(state);
                try {
                    commit(put(key, Instant.now().getEpochSecond(), plaintext, seal));
                } finally {
                    Secrets.zero(plaintext);
                    state.values().forEach(Secrets::zero);
                }
            }
        });
    }

    /** Puts a snapshot in the place of an instance's state; the snapshot stays. */
    void restore(UUID instance, String name) throws StateException {
        owners.on(instance, () -> {
            refusals.check(instance);
            try (InstanceSeal seal = states.seal(instance)) {
                byte[] plaintext = open(item(instance, name), seal);
                Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
                state.put(StateKind.SAVED, new byte[0]);
                state.put(StateKind.VOLATILE, new byte[0]);
                try {
                    state.putAll(StateParts.decode(plaintext));
                    journal.commit(states.changes(instance, seal, state));
                } finally {
                    Secrets.zero(plaintext);
                    state.values().forEach(Secrets::zero);
                }
            }
        });
    }

    void drop(UUID instance, String name) throws StateException {
        owners.on(instance, () -> commit(KeyedJournal.remove(item(instance, name))));
    }

    /** The changes that seal all of an instance with its next data key; made in the instance's turn. */
    List<Change> resealed(UUID instance, InstanceSeal old, InstanceSeal next) throws IOException {
        List<Change> changes = new ArrayList<>();
        for (Item item : items(instance)) {
            byte[] plaintext = open(item, old);
            try {
                changes.add(put(item.key(), layout(item).takenSecond, plaintext, next));
            } finally {
                Secrets.zero(plaintext);
            }
        }
        return changes;
    }

    private List<Item> items(UUID instance) {
        return journal.items(instance).stream()
                .filter(item -> item.key().kind() == ItemKind.SNAPSHOT.code())
                .toList();
    }

    private Item item(UUID instance, String name) throws StateException {
        return journal.find(ItemKind.SNAPSHOT.of(instance, name))
                .orElseThrow(() -> new StateException("Instance " + instance + " has no snapshot \"" + name + "\""));
    }

    private Layout layout(Item item) throws IOException {
        return Layouts.decode(Layout.class, journal.read(item));
    }

    private byte[] open(Item item, InstanceSeal seal) throws IOException {
        try {
            return seal.open(item.key(), item.version(), layout(item).sealed);
        } catch (IOException e) {
            throw new UnusableException("its snapshot \"" + item.key().name() + "\"", e);
        }
    }

    private Change put(ItemKey key, long takenSecond, byte[] plaintext, InstanceSeal seal) throws IOException {
        return journal.next(
                key,
                version -> Layouts.encode(
                        Layout.class, new Layout(takenSecond, seal.seal(key, version, plaintext, random))));
    }

    private void commit(Change change) throws IOException {
        journal.commit(List.of(change));
    }
}
