package org.vtpm.manager;

import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateSnapshot;
import org.vtpm.api.storage.StateStore;

/** A store in memory whose operations can be made to fail. */
final class MemoryStore implements StateStore {
    /** What a bundle begins with. */
    private static final byte BUNDLE = 'b';

    final Map<UUID, InstanceRecord> records = new ConcurrentHashMap<>();
    final Map<UUID, Map<StateKind, byte[]>> states = new ConcurrentHashMap<>();
    final Map<UUID, Map<String, Map<StateKind, byte[]>>> snapshots = new ConcurrentHashMap<>();
    final List<InstanceBundle> bundles = new CopyOnWriteArrayList<>();
    volatile String failure = "";
    /** Sees each change before it is made, and may refuse it. */
    volatile Guard guard = (updated, changes) -> {};

    /** Sees a new record, or parts of a state; the other is null. */
    @FunctionalInterface
    interface Guard {
        void check(InstanceRecord updated, Map<StateKind, byte[]> changes) throws StateException;
    }

    /** What would be there after a crash now. */
    MemoryStore crashed() {
        MemoryStore copy = new MemoryStore();
        copy.records.putAll(records);
        states.forEach((uuid, parts) -> {
            Map<StateKind, byte[]> kept = new EnumMap<>(StateKind.class);
            parts.forEach((kind, content) -> kept.put(kind, content.clone()));
            copy.states.put(uuid, kept);
        });
        return copy;
    }

    private void check() throws StateException {
        if (!failure.isEmpty()) {
            throw new StateException(failure);
        }
    }

    @Override
    public List<InstanceRecord> instances() {
        return List.copyOf(records.values());
    }

    @Override
    public void create(InstanceRecord record, Map<StateKind, byte[]> state) throws StateException {
        check();
        records.put(record.uuid(), record);
        Map<StateKind, byte[]> copy = new EnumMap<>(StateKind.class);
        state.forEach((k, v) -> copy.put(k, v.clone()));
        states.put(record.uuid(), copy);
    }

    @Override
    public void update(InstanceRecord record) throws StateException {
        check();
        guard.check(record, null);
        records.put(record.uuid(), record);
    }

    @Override
    public Map<StateKind, byte[]> load(UUID instance) throws StateException {
        check();
        Map<StateKind, byte[]> copy = new HashMap<>();
        states.get(instance).forEach((k, v) -> copy.put(k, v.clone()));
        return copy;
    }

    @Override
    public void save(UUID instance, Map<StateKind, byte[]> changes) throws StateException {
        check();
        guard.check(null, changes);
        changes.forEach((k, v) -> {
            if (v.length == 0) {
                states.get(instance).remove(k);
            } else {
                states.get(instance).put(k, v.clone());
            }
        });
    }

    @Override
    public void delete(UUID instance) throws StateException {
        check();
        records.remove(instance);
        states.remove(instance);
        snapshots.remove(instance);
    }

    @Override
    public List<StateSnapshot> snapshots(UUID instance) throws StateException {
        check();
        return of(instance).keySet().stream()
                .map(name -> new StateSnapshot(name, Instant.EPOCH))
                .toList();
    }

    @Override
    public void takeSnapshot(UUID instance, String name) throws StateException {
        check();
        Map<StateKind, byte[]> kept = new EnumMap<>(states.get(instance));
        kept.remove(StateKind.VOLATILE);
        if (of(instance).putIfAbsent(name, kept) != null) {
            throw new StateException("there is a snapshot " + name + " already");
        }
    }

    @Override
    public void restoreSnapshot(UUID instance, String name) throws StateException {
        check();
        Map<StateKind, byte[]> kept = of(instance).get(name);
        if (kept == null) {
            throw new StateException("there is no snapshot " + name);
        }
        states.put(instance, new EnumMap<>(kept));
    }

    @Override
    public void dropSnapshot(UUID instance, String name) throws StateException {
        check();
        if (of(instance).remove(name) == null) {
            throw new StateException("there is no snapshot " + name);
        }
    }

    /** Hands out a number for each bundle. */
    @Override
    public byte[] export(UUID instance, BundleRecipient recipient) throws StateException {
        check();
        Map<StateKind, byte[]> kept = new EnumMap<>(states.get(instance));
        kept.remove(StateKind.VOLATILE);
        bundles.add(new InstanceBundle(records.get(instance), Instant.EPOCH, kept));
        return new byte[] {BUNDLE, (byte) (bundles.size() - 1)};
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) throws StateException {
        check();
        return file[0] == BUNDLE ? Optional.of(BundleLock.HOST) : Optional.empty();
    }

    @Override
    public InstanceBundle openBundle(byte[] bundle, byte @Nullable [] passphrase) throws StateException {
        check();
        if (passphrase != null) {
            throw new StateException("the pass phrase is wrong");
        }
        InstanceBundle kept = bundles.get(bundle[1]);
        Map<StateKind, byte[]> copy = new EnumMap<>(StateKind.class);
        kept.state().forEach((kind, part) -> copy.put(kind, part.clone()));
        return new InstanceBundle(kept.record(), kept.exported(), copy);
    }

    private Map<String, Map<StateKind, byte[]>> of(UUID instance) {
        return snapshots.computeIfAbsent(instance, unused -> new LinkedHashMap<>());
    }
}
