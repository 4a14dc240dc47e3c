package org.vtpm.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateSnapshot;
import org.vtpm.api.storage.StateStore;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.key.KeyRing;

/**
 * The instances in an open journal: each has a data key, a record, and its state sealed part by part. A change is one commit,
 * so that it is there wholly or not at all. What else is done with an open storage has a class of its own each, which this one
 * puts together.
 */
final class JournalStore implements StateStore, Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalStore.class);

    private final Path folder;
    private final Closeable folderLock;
    private final Owners owners;
    private final Refusals refusals;
    private final KeyedJournal journal;
    private final ReplayGuard guard;
    private final Records records;
    private final SealedState states;
    private final Snapshots snapshots;
    private final Bundles bundles;
    private final ForeignKeys foreignKeys;
    private final Reverts reverts;
    private final KeyRotation rotation;

    /**
     * Serves an open journal; it, the ring and what keeps others out of the folder become this store's.
     *
     * @param later runs what need not be done at once, in a moment, so that several changes share it
     */
    JournalStore(Path folder, Journal journal, KeyRing ring, Anchoring anchoring, Executor later, Closeable folderLock)
            throws IOException {
        SecureRandom random = new SecureRandom();
        this.folder = folder;
        this.folderLock = folderLock;
        this.owners = new Owners(folder, journal);
        this.refusals = new Refusals(journal);
        this.journal = new KeyedJournal(journal, ring, owners, refusals, random);
        this.guard = new ReplayGuard(folder, this.journal, owners, refusals, anchoring, later);
        this.records = new Records(this.journal);
        this.states = new SealedState(this.journal, random);
        this.snapshots = new Snapshots(owners, this.journal, states, refusals, random);
        this.bundles = new Bundles(owners, this.journal, records, states, refusals, random);
        this.foreignKeys = new ForeignKeys(owners, this.journal, states, refusals, guard);
        this.reverts = new Reverts(owners, this.journal, refusals, guard);
        this.rotation = new KeyRotation(owners, this.journal, states, snapshots, random);
    }

    KeyedJournal journal() {
        return journal;
    }

    ReplayGuard guard() {
        return guard;
    }

    ForeignKeys foreignKeys() {
        return foreignKeys;
    }

    Reverts reverts() {
        return reverts;
    }

    KeyRotation rotation() {
        return rotation;
    }

    /** How many instances there are. */
    int size() {
        return owners.instances();
    }

    @Override
    public List<InstanceRecord> instances() throws StateException {
        return owners.ofEachInstance(this::list);
    }

    /** The record of an instance for the list of all: also of one whose record cannot be read. */
    private InstanceRecord list(UUID instance) {
        try {
            return records.read(instance);
        } catch (IOException e) {
            LOG.error("{}", owners.failure(instance, e).getMessage());
            // Wanted to run, so that it is tried, fails for the same reason and shows it to the operator.
            return new InstanceRecord(
                    instance,
                    instance.toString(),
                    TpmFamily.TPM_1_2,
                    Isolation.SHARED,
                    StartupMode.NONE,
                    null,
                    List.of(),
                    Wanted.RUNNING,
                    Instant.EPOCH);
        }
    }

    @Override
    public void create(InstanceRecord record, Map<StateKind, byte[]> state) throws StateException {
        UUID instance = record.uuid();
        boolean made = owners.add(instance, false, () -> {
            if (SealedState.empty(state.get(StateKind.PERMANENT))) {
                throw new IOException("an instance cannot be without permanent state");
            }
            journal.commit(states.make(instance, records.put(record), state));
        });
        if (!made) {
            throw new StateException("Instance " + instance + " exists already in " + folder);
        }
        guard.anchorSoon();
    }

    @Override
    public void update(InstanceRecord record) throws StateException {
        UUID instance = record.uuid();
        owners.on(instance, () -> {
            var unused = records.read(instance);
            journal.commit(List.of(records.put(record)));
        });
    }

    @Override
    public Map<StateKind, byte[]> load(UUID instance) throws StateException {
        return owners.on(instance, () -> {
            refusals.check(instance);
            var unused = records.read(instance);
            try (InstanceSeal seal = states.seal(instance)) {
                return states.read(instance, seal);
            }
        });
    }

    @Override
    public void save(UUID instance, Map<StateKind, byte[]> changes) throws StateException {
        owners.on(instance, () -> {
            refusals.check(instance);
            if (SealedState.empty(changes.get(StateKind.PERMANENT)) && changes.containsKey(StateKind.PERMANENT)) {
                throw new IOException("an instance cannot be without permanent state");
            }
            try (InstanceSeal seal = states.seal(instance)) {
                journal.commit(states.changes(instance, seal, changes));
            }
        });
    }

    @Override
    public void delete(UUID instance) throws StateException {
        owners.on(instance, () -> journal.delete(instance));
        guard.anchorSoon();
    }

    @Override
    public List<StateSnapshot> snapshots(UUID instance) throws StateException {
        return snapshots.list(instance);
    }

    @Override
    public void takeSnapshot(UUID instance, String name) throws StateException {
        snapshots.take(instance, name);
    }

    @Override
    public void restoreSnapshot(UUID instance, String name) throws StateException {
        snapshots.restore(instance, name);
        guard.anchorSoon();
    }

    @Override
    public void dropSnapshot(UUID instance, String name) throws StateException {
        snapshots.drop(instance, name);
    }

    @Override
    public byte[] export(UUID instance, BundleRecipient recipient) throws StateException {
        return bundles.export(instance, recipient);
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) throws StateException {
        return bundles.lock(file);
    }

    @Override
    public InstanceBundle openBundle(byte[] bundle, byte @Nullable [] passphrase) throws StateException {
        return bundles.open(bundle, passphrase);
    }

    /** Anchors, zeroes the keys and gives the folder free, when the operations that run have ended. */
    @Override
    public void close() throws IOException {
        guard.anchorQuietly();
        owners.close(() -> {
            try (folderLock) {
                journal.close();
            }
        });
    }
}
