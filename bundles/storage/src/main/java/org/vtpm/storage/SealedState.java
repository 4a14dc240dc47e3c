package org.vtpm.storage;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StateKind;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.ItemKey;
import org.vtpm.storage.key.KeyRing;

/** Each owner's data key, and the parts of its state that are sealed under it. */
final class SealedState {
    private final KeyedJournal journal;
    private final SecureRandom random;

    SealedState(KeyedJournal journal, SecureRandom random) {
        this.journal = journal;
        this.random = random;
    }

    /** The changes that make an owner: its first data key, what it is, and its first state. */
    List<Change> make(UUID owner, Change what, Map<StateKind, byte[]> state) throws IOException {
        byte[] dataKey = KeyRing.newDataKey(random);
        try (InstanceSeal seal = new InstanceSeal(dataKey)) {
            List<Change> changes = new ArrayList<>();
            changes.add(wrapped(owner, dataKey));
            changes.add(what);
            changes.addAll(changes(owner, seal, state));
            return changes;
        }
    }

    /** An owner's data key; the caller zeroes it. */
    byte[] dataKey(UUID owner) throws IOException {
        try {
            Item key = journal.item(ItemKind.DATA_KEY.of(owner));
            return journal.ring().unwrap(journal.read(key), owner, key.version());
        } catch (IOException e) {
            throw new UnusableException("its data key", e);
        }
    }

    /** The change that stores an owner's data key, wrapped with the current generation. */
    Change wrapped(UUID owner, byte[] dataKey) throws IOException {
        return journal.next(
                ItemKind.DATA_KEY.of(owner), version -> journal.ring().wrap(dataKey, owner, version, random));
    }

    /** An owner's data key in use. */
    InstanceSeal seal(UUID owner) throws IOException {
        return new InstanceSeal(dataKey(owner));
    }

    /** All parts that there are, the permanent one always; the caller zeroes them. */
    Map<StateKind, byte[]> read(UUID owner, InstanceSeal seal) throws IOException {
        Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
        try {
            for (StateKind kind : StateKind.values()) {
                Optional<Item> item = journal.find(ItemKind.of(kind).of(owner));
                if (item.isPresent()) {
                    state.put(kind, seal.open(item.get().key(), item.get().version(), journal.read(item.get())));
                }
            }
            if (!state.containsKey(StateKind.PERMANENT)) {
                throw new IOException("the permanent state is missing");
            }
            return state;
        } catch (IOException e) {
            state.values().forEach(Secrets::zero);
            throw new UnusableException("its state", e);
        }
    }

    /** The changes that put parts of a state, or remove those that are empty. */
    List<Change> changes(UUID owner, InstanceSeal seal, Map<StateKind, byte[]> parts) throws IOException {
        List<Change> changes = new ArrayList<>();
        for (Map.Entry<StateKind, byte[]> part : parts.entrySet()) {
            ItemKey key = ItemKind.of(part.getKey()).of(owner);
            if (!empty(part.getValue())) {
                changes.add(journal.next(key, version -> seal.seal(key, version, part.getValue(), random)));
            } else {
                journal.find(key).map(KeyedJournal::remove).ifPresent(changes::add);
            }
        }
        return changes;
    }

    static boolean empty(byte @Nullable [] content) {
        return content == null || content.length == 0;
    }
}
