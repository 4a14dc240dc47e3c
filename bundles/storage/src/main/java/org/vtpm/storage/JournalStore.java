package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.spec.InvalidKeySpecException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
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
import org.vtpm.codec.Rest;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.VerificationKey;
import org.vtpm.storage.Anchoring.Finding;
import org.vtpm.storage.Anchoring.Standing;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.ItemKey;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.journal.JournalException;
import org.vtpm.storage.journal.JournalKey;
import org.vtpm.storage.key.BundleSeal;
import org.vtpm.storage.key.HostSecret;
import org.vtpm.storage.key.KeyRing;
import org.vtpm.storage.key.KeyRing.ReplayPolicy;
import org.vtpm.storage.key.Layouts;

/**
 * The instances in an open journal: each has a data key, a record, and its state sealed part by part. A change is one commit,
 * so that it is there wholly or not at all.
 */
final class JournalStore implements StateStore, Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalStore.class);
    private static final byte[] FOREIGN_MARK = {1};
    private static final Pattern SNAPSHOT_NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final Path folder;
    private final Journal journal;
    private final Anchoring anchoring;
    private final Executor later;
    private final AtomicBoolean anchoringIsDue = new AtomicBoolean();
    private final Closeable folderLock;
    private final SecureRandom random = new SecureRandom();
    private final ConcurrentMap<UUID, Entry> entries = new ConcurrentHashMap<>();
    /** Those among the entries that are no instances. */
    private final Set<UUID> foreigners = ConcurrentHashMap.newKeySet();
    // Operations share it, so they do not wait for each other; who changes the key ring or closes has it alone.
    private final ReadWriteLock life = new ReentrantReadWriteLock();
    private final Refusals refusals = new Refusals();
    private KeyRing ring;
    private boolean closed;

    /** An instance, or a TPM elsewhere; its monitor lets one operation at a time through. */
    private static final class Entry {}

    private record Snapshot(long takenSecond, @Rest byte[] sealed) {}

    /** Something in the journal that is not as it was stored. */
    private static final class UnusableException extends IOException {
        private static final long serialVersionUID = 1L;

        UnusableException(String what, IOException cause) {
            super(what + " cannot be used: " + cause.getMessage(), cause);
        }
    }

    @FunctionalInterface
    private interface Query<T> {
        T run() throws IOException;
    }

    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    /**
     * Serves an open journal; it, the ring and what keeps others out of the folder become this store's.
     *
     * @param later runs what need not be done at once, in a moment, so that several changes share it
     */
    JournalStore(Path folder, Journal journal, KeyRing ring, Anchoring anchoring, Executor later, Closeable folderLock)
            throws IOException {
        this.later = later;
        this.folderLock = folderLock;
        this.folder = folder;
        this.journal = journal;
        this.ring = ring;
        this.anchoring = anchoring;
        for (UUID owner : journal.owners()) {
            if (!owner.equals(ItemKind.HOST)) {
                entries.put(owner, new Entry());
                if (journal.find(ItemKind.FOREIGN.of(owner)).isPresent()) {
                    foreigners.add(owner);
                }
                Optional<Item> mark = journal.find(ItemKind.REPLAYED.of(owner));
                if (mark.isPresent()) {
                    refusals.addMarked(owner, new String(journal.read(mark.get()), UTF_8));
                }
            }
        }
    }

    /** Holds the journal against its counter, after it was opened and when a root of trust arrives that may have it. */
    void check() throws IOException {
        life.writeLock().lock();
        try {
            if (closed || refusals.standing() == Standing.OLD) {
                return;
            }
            Finding finding = anchoring.check(ring);
            boolean strict = ring.replayPolicy() == ReplayPolicy.STRICT;
            refusals.found(finding, strict ? Set.copyOf(entries.keySet()) : Set.of());
            if (finding.standing() == Standing.CURRENT) {
                return;
            }
            LOG.error(
                    "Storage {}: {}. {}",
                    folder,
                    finding.reason(),
                    strict
                            ? "All " + entries.size() + " instances in it stay closed"
                            : "Its " + entries.size()
                                    + " instances start all the same, for the replay policy is audit");
            if (!strict && finding.standing() == Standing.OLD) {
                anchoring.anchor(ring);
            }
        } finally {
            life.writeLock().unlock();
        }
    }

    /** Whether it cannot be told if this is the latest state, because the root of trust that has the counter is not there. */
    boolean waitsForCounter() {
        return refusals.standing() == Standing.UNKNOWN && look(anchoring::waitsForRoot);
    }

    /** Anchors what was stored since the last time. */
    void anchor() throws IOException {
        life.readLock().lock();
        try {
            // A journal that was found old is written to by an operator's will only, and one that nobody knows to be
            // the
            // latest must not become it.
            if (!closed && refusals.mayAnchor()) {
                anchoring.anchor(ring);
            }
        } finally {
            life.readLock().unlock();
        }
    }

    @Override
    public List<InstanceRecord> instances() throws StateException {
        List<InstanceRecord> records = new ArrayList<>();
        for (Map.Entry<UUID, Entry> known : entries.entrySet()) {
            UUID instance = known.getKey();
            exclusively(instance, known.getValue(), () -> list(instance, known.getValue()))
                    .ifPresent(records::add);
        }
        return records;
    }

    @Override
    public void create(InstanceRecord record, Map<StateKind, byte[]> state) throws StateException {
        UUID instance = record.uuid();
        boolean made = make(
                instance,
                () -> {
                    if (empty(state.get(StateKind.PERMANENT))) {
                        throw new IOException("an instance cannot be without permanent state");
                    }
                    return next(ItemKind.RECORD.of(instance), version -> RecordLayout.encode(record));
                },
                state);
        if (!made) {
            throw new StateException("Instance " + instance + " exists already in " + folder);
        }
    }

    /**
     * Makes an owner with its first state, if there is none of this UUID.
     *
     * @param what gives the item that says what it is
     */
    private boolean make(UUID owner, Query<Change> what, Map<StateKind, byte[]> state) throws StateException {
        Entry entry = new Entry();
        boolean made = exclusively(owner, entry, () -> {
            if (owner.equals(ItemKind.HOST) || entries.putIfAbsent(owner, entry) != null) {
                return false;
            }
            boolean done = false;
            byte[] dataKey = KeyRing.newDataKey(random);
            try (InstanceSeal seal = new InstanceSeal(dataKey)) {
                List<Change> changes = new ArrayList<>();
                changes.add(next(ItemKind.DATA_KEY.of(owner), version -> ring.wrap(dataKey, owner, version, random)));
                changes.add(what.run());
                changes.addAll(changes(owner, seal, state));
                commit(changes);
                done = true;
            } finally {
                if (!done) {
                    entries.remove(owner, entry);
                    foreigners.remove(owner);
                }
            }
            return true;
        });
        if (made) {
            anchorSoon();
        }
        return made;
    }

    Set<UUID> foreigners() {
        return new TreeSet<>(foreigners);
    }

    Optional<byte[]> foreignKey(UUID owner) throws StateException {
        if (!foreigners.contains(owner)) {
            return Optional.empty();
        }
        return onInstance(owner, () -> {
            refusals.check(owner);
            try (InstanceSeal seal = seal(owner)) {
                return Optional.ofNullable(state(owner, seal).get(StateKind.PERMANENT));
            }
        });
    }

    void storeForeignKey(UUID owner, byte[] key) throws StateException {
        Map<StateKind, byte[]> state = Map.of(StateKind.PERMANENT, key);
        boolean made = make(
                owner,
                () -> {
                    foreigners.add(owner);
                    return next(ItemKind.FOREIGN.of(owner), version -> FOREIGN_MARK);
                },
                state);
        if (made) {
            return;
        }
        onInstance(owner, () -> {
            requireForeign(owner);
            refusals.check(owner);
            try (InstanceSeal seal = seal(owner)) {
                commit(changes(owner, seal, state));
            }
        });
    }

    void deleteForeignKey(UUID owner) throws StateException {
        onInstance(owner, () -> {
            requireForeign(owner);
            commit(List.of(new Change.RemoveAll(owner)));
            refusals.remove(owner);
            foreigners.remove(owner);
            entries.remove(owner);
        });
        anchorSoon();
    }

    private void requireForeign(UUID owner) throws StateException {
        if (!foreigners.contains(owner)) {
            throw new StateException(
                    "Instance " + owner + " is one of this manager: no TPM elsewhere can have its UUID");
        }
    }

    @Override
    public void update(InstanceRecord record) throws StateException {
        UUID instance = record.uuid();
        onInstance(instance, () -> {
            readRecord(instance);
            commit(List.of(next(ItemKind.RECORD.of(instance), version -> RecordLayout.encode(record))));
        });
    }

    @Override
    public Map<StateKind, byte[]> load(UUID instance) throws StateException {
        return onInstance(instance, () -> {
            refusals.check(instance);
            readRecord(instance);
            try (InstanceSeal seal = seal(instance)) {
                return state(instance, seal);
            }
        });
    }

    @Override
    public void save(UUID instance, Map<StateKind, byte[]> changes) throws StateException {
        onInstance(instance, () -> {
            refusals.check(instance);
            if (empty(changes.get(StateKind.PERMANENT)) && changes.containsKey(StateKind.PERMANENT)) {
                throw new IOException("an instance cannot be without permanent state");
            }
            try (InstanceSeal seal = seal(instance)) {
                commit(changes(instance, seal, changes));
            }
        });
    }

    @Override
    public void delete(UUID instance) throws StateException {
        onInstance(instance, () -> {
            commit(List.of(new Change.RemoveAll(instance)));
            refusals.remove(instance);
            entries.remove(instance);
        });
        anchorSoon();
    }

    @Override
    public List<StateSnapshot> snapshots(UUID instance) throws StateException {
        return onInstance(instance, () -> {
            List<StateSnapshot> snapshots = new ArrayList<>();
            for (Item item : journal.items(instance)) {
                if (item.key().kind() == ItemKind.SNAPSHOT.code()) {
                    Snapshot snapshot = Layouts.decode(Snapshot.class, journal.read(item));
                    snapshots.add(new StateSnapshot(item.key().name(), Instant.ofEpochSecond(snapshot.takenSecond)));
                }
            }
            snapshots.sort(Comparator.comparing(StateSnapshot::taken).thenComparing(StateSnapshot::name));
            return snapshots;
        });
    }

    @Override
    public void takeSnapshot(UUID instance, String name) throws StateException {
        onInstance(instance, () -> {
            refusals.check(instance);
            ItemKey key = ItemKind.SNAPSHOT.of(instance, name);
            if (!SNAPSHOT_NAME.matcher(name).matches()) {
                throw new StateException(
                        "\"" + name + "\" cannot be the name of a snapshot: 1 to 64 letters, digits, dots,"
                                + " dashes and underscores can");
            }
            if (journal.find(key).isPresent()) {
                throw new StateException("Instance " + instance + " has a snapshot \"" + name + "\" already");
            }
            try (InstanceSeal seal = seal(instance)) {
                Map<StateKind, byte[]> state = state(instance, seal);
                byte[] plaintext = StateParts.encode(state);
                try {
                    long now = Instant.now().getEpochSecond();
                    commit(List.of(next(
                            key,
                            version -> Layouts.encode(
                                    Snapshot.class, new Snapshot(now, seal.seal(key, version, plaintext, random))))));
                } finally {
                    Secrets.zero(plaintext);
                    state.values().forEach(Secrets::zero);
                }
            }
        });
    }

    @Override
    public void restoreSnapshot(UUID instance, String name) throws StateException {
        onInstance(instance, () -> {
            refusals.check(instance);
            try (InstanceSeal seal = seal(instance)) {
                byte[] plaintext = openSnapshot(snapshot(instance, name), seal);
                Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
                state.put(StateKind.SAVED, new byte[0]);
                state.put(StateKind.VOLATILE, new byte[0]);
                try {
                    state.putAll(StateParts.decode(plaintext));
                    commit(changes(instance, seal, state));
                } finally {
                    Secrets.zero(plaintext);
                    state.values().forEach(Secrets::zero);
                }
            }
        });
        anchorSoon();
    }

    @Override
    public void dropSnapshot(UUID instance, String name) throws StateException {
        onInstance(instance, () -> commit(List.of(remove(snapshot(instance, name)))));
    }

    @Override
    public byte[] export(UUID instance, BundleRecipient recipient) throws StateException {
        byte[] content = onInstance(instance, () -> {
            refusals.check(instance);
            InstanceRecord record = readRecord(instance);
            try (InstanceSeal seal = seal(instance)) {
                Map<StateKind, byte[]> state = state(instance, seal);
                try {
                    return BundleContent.encode(record, Instant.now(), state);
                } finally {
                    state.values().forEach(Secrets::zero);
                }
            }
        });
        // Not with the instance held: to make a key of a pass phrase takes a second, in which its guest may go on.
        try {
            return BundleSeal.seal(recipient, content, random);
        } catch (IOException e) {
            throw new StateException("Instance " + instance + ": " + e.getMessage(), e);
        } finally {
            Secrets.zero(content);
        }
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) throws StateException {
        try {
            return BundleSeal.lock(file);
        } catch (IOException e) {
            throw unusableBundle(e);
        }
    }

    @Override
    public InstanceBundle openBundle(byte[] bundle, byte @Nullable [] passphrase) throws StateException {
        byte[] seed = look(KeyRing::exportSeed);
        byte[] content = {};
        try {
            content = passphrase == null ? BundleSeal.openHere(seed, bundle) : BundleSeal.openWith(passphrase, bundle);
            return BundleContent.decode(content);
        } catch (IOException e) {
            throw unusableBundle(e);
        } finally {
            Secrets.zero(seed, content);
        }
    }

    private static StateException unusableBundle(IOException e) {
        return new StateException("the bundle cannot be opened: " + e.getMessage(), e);
    }

    /** What the operator's key has to sign to let an instance go on with old state. */
    byte[] revertToken(UUID instance) throws StateException {
        return onInstance(instance, () -> {
            String reason = refusals.reason(instance)
                    .orElseThrow(() ->
                            new StateException("Instance " + instance + " is not kept closed: nothing is to sign"));
            Item state = journal.find(ItemKind.PERMANENT.of(instance))
                    .orElseThrow(() -> new StateException("Instance " + instance + " has no state"));
            return ("vtpm revert 1\ninstance " + instance + "\nstate " + state.version() + " "
                            + HexFormat.of().formatHex(state.digest()) + "\nfound " + reason + "\n")
                    .getBytes(UTF_8);
        });
    }

    /** Lets an instance go on with old state, if the operator signed that. */
    void revert(UUID instance, byte[] signature) throws StateException {
        byte[] token = revertToken(instance);
        onInstance(instance, () -> {
            byte[] key = ring.operatorKey();
            if (key.length == 0) {
                throw new StateException("No operator's key was set for this storage, so that nobody can sign");
            }
            if (!operatorKey(key).verifies(token, signature)) {
                throw new StateException(
                        "Instance " + instance + ": the signature is not the operator's over the token as it is now");
            }
            List<Change> changes = new ArrayList<>();
            journal.find(ItemKind.REPLAYED.of(instance))
                    .map(JournalStore::remove)
                    .ifPresent(changes::add);
            refusals.remove(instance);
            try {
                commit(changes);
            } catch (IOException e) {
                refusals.addMarked(instance, new String(token, UTF_8));
                throw e;
            }
            LOG.warn("Instance {} goes on with old state, as the operator signed", instance);
        });
        anchorSoon();
    }

    private static VerificationKey operatorKey(byte[] key) throws IOException {
        try {
            return VerificationKey.ofSubjectPublicKeyInfo(key);
        } catch (InvalidKeySpecException e) {
            throw new IOException("the operator's key cannot be used: " + e.getMessage(), e);
        }
    }

    /** Seals all that data keys seal with new ones. */
    void rotateDataKeys() throws StateException {
        for (UUID instance : entries.keySet()) {
            onInstance(instance, () -> rotateDataKey(instance));
        }
    }

    /** Makes a new generation of the wrapping key, wraps all data keys with it, and forgets the old ones. */
    void rotateWrappingKey(HostSecret secret) throws StateException {
        replaceRing(secret, old -> old.withNewGeneration(random));
        for (UUID instance : entries.keySet()) {
            onInstance(instance, () -> {
                byte[] dataKey = dataKey(instance);
                try {
                    commit(List.of(next(
                            ItemKind.DATA_KEY.of(instance), version -> ring.wrap(dataKey, instance, version, random))));
                } finally {
                    Secrets.zero(dataKey);
                }
            });
        }
        replaceRing(secret, KeyRing::withCurrentGenerationOnly);
    }

    /** Moves the journal under another secret. */
    void rotateHostSecret(HostSecret next) throws StateException {
        alone(() -> {
            Change.Put sealed = next(ItemKind.KEY_RING.ofHost(), version -> ring.seal(next, random));
            byte[] chainKey = next.chainKey();
            try {
                journal.compact(new JournalKey(next.id(), chainKey), List.of(sealed));
            } finally {
                Secrets.zero(chainKey);
            }
        });
    }

    /** Stores another key ring and uses it from then on. */
    void replaceRing(HostSecret secret, UnaryOperator<KeyRing> change) throws StateException {
        alone(() -> store(change.apply(ring), secret, List.of()));
    }

    /** Anchors the journal in another counter. What is refused stays so, for the new counter knows nothing of it. */
    void replaceCounter(HostSecret secret, KeyRing.Counter counter) throws StateException {
        alone(() -> {
            store(ring.withCounter(counter), secret, marks(refusals.unmarked()));
            refusals.allMarked();
            anchoring.anchor(ring);
        });
    }

    /** Writes what counts into a new file. */
    void compact() throws StateException {
        alone(() -> journal.compact());
    }

    Anchoring anchoring() {
        return anchoring;
    }

    Journal journal() {
        return journal;
    }

    Set<UUID> refused() {
        return new TreeSet<>(refusals.instances());
    }

    /** How many instances there are. */
    int size() {
        return entries.size() - foreigners.size();
    }

    /** Lets look at the key ring. */
    <T> T look(Function<KeyRing, T> look) {
        life.readLock().lock();
        try {
            return look.apply(ring);
        } finally {
            life.readLock().unlock();
        }
    }

    /** Anchors, zeroes the keys and gives the folder free, when the operations that run have ended. */
    @Override
    public void close() throws IOException {
        anchorQuietly();
        life.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                try (folderLock) {
                    journal.close();
                } finally {
                    ring.close();
                }
            }
        } finally {
            life.writeLock().unlock();
        }
    }

    /** The record of an instance for the list of all: also of one whose record cannot be read. */
    private Optional<InstanceRecord> list(UUID instance, Entry entry) {
        if (entries.get(instance) != entry || foreigners.contains(instance)) {
            return Optional.empty();
        }
        try {
            return Optional.of(readRecord(instance));
        } catch (IOException e) {
            LOG.error("{}", failure(instance, e).getMessage());
            // Wanted to run, so that it is tried, fails for the same reason and shows it to the operator.
            return Optional.of(new InstanceRecord(
                    instance,
                    instance.toString(),
                    TpmFamily.TPM_1_2,
                    Isolation.SHARED,
                    StartupMode.NONE,
                    null,
                    List.of(),
                    Wanted.RUNNING,
                    Instant.EPOCH));
        }
    }

    private InstanceRecord readRecord(UUID instance) throws IOException {
        try {
            return RecordLayout.decode(journal.read(item(ItemKind.RECORD.of(instance))), instance);
        } catch (IOException e) {
            throw new UnusableException("its record", e);
        }
    }

    private byte[] dataKey(UUID instance) throws IOException {
        try {
            Item key = item(ItemKind.DATA_KEY.of(instance));
            return ring.unwrap(journal.read(key), instance, key.version());
        } catch (IOException e) {
            throw new UnusableException("its data key", e);
        }
    }

    private InstanceSeal seal(UUID instance) throws IOException {
        return new InstanceSeal(dataKey(instance));
    }

    private Map<StateKind, byte[]> state(UUID instance, InstanceSeal seal) throws IOException {
        Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
        try {
            for (StateKind kind : StateKind.values()) {
                Optional<Item> item = journal.find(ItemKind.of(kind).of(instance));
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
    private List<Change> changes(UUID instance, InstanceSeal seal, Map<StateKind, byte[]> parts) throws IOException {
        List<Change> changes = new ArrayList<>();
        for (Map.Entry<StateKind, byte[]> part : parts.entrySet()) {
            ItemKey key = ItemKind.of(part.getKey()).of(instance);
            if (!empty(part.getValue())) {
                changes.add(next(key, version -> seal.seal(key, version, part.getValue(), random)));
            } else {
                journal.find(key).map(JournalStore::remove).ifPresent(changes::add);
            }
        }
        return changes;
    }

    private Item snapshot(UUID instance, String name) throws StateException {
        return journal.find(ItemKind.SNAPSHOT.of(instance, name))
                .orElseThrow(() -> new StateException("Instance " + instance + " has no snapshot \"" + name + "\""));
    }

    private byte[] openSnapshot(Item item, InstanceSeal seal) throws IOException {
        try {
            Snapshot snapshot = Layouts.decode(Snapshot.class, journal.read(item));
            return seal.open(item.key(), item.version(), snapshot.sealed);
        } catch (IOException e) {
            throw new UnusableException("its snapshot \"" + item.key().name() + "\"", e);
        }
    }

    private void rotateDataKey(UUID instance) throws IOException {
        byte[] dataKey = KeyRing.newDataKey(random);
        try (InstanceSeal old = seal(instance);
                InstanceSeal next = new InstanceSeal(dataKey)) {
            List<Change> changes = new ArrayList<>();
            changes.add(next(ItemKind.DATA_KEY.of(instance), version -> ring.wrap(dataKey, instance, version, random)));
            Map<StateKind, byte[]> state = state(instance, old);
            try {
                changes.addAll(changes(instance, next, state));
            } finally {
                state.values().forEach(Secrets::zero);
            }
            for (Item item : journal.items(instance)) {
                if (item.key().kind() == ItemKind.SNAPSHOT.code()) {
                    long taken = Layouts.decode(Snapshot.class, journal.read(item)).takenSecond;
                    byte[] plaintext = openSnapshot(item, old);
                    try {
                        changes.add(next(
                                item.key(),
                                version -> Layouts.encode(
                                        Snapshot.class,
                                        new Snapshot(taken, next.seal(item.key(), version, plaintext, random)))));
                    } finally {
                        Secrets.zero(plaintext);
                    }
                }
            }
            commit(changes);
        }
    }

    /** The ring becomes this store's, once it is stored. */
    private void store(KeyRing next, HostSecret secret, List<Change> more) throws IOException {
        List<Change> changes = new ArrayList<>(more);
        boolean done = false;
        try {
            changes.add(next(ItemKind.KEY_RING.ofHost(), version -> next.seal(secret, random)));
            journal.commit(changes);
            done = true;
        } finally {
            if (!done) {
                next.close();
            }
        }
        ring.close();
        ring = next;
    }

    /** Makes changes durable; the first ones after old state was found say so of each instance. */
    private void commit(List<Change> changes) throws IOException {
        Set<UUID> unmarked = refusals.standing() == Standing.OLD ? refusals.unmarked() : Set.of();
        if (unmarked.isEmpty()) {
            journal.commit(changes);
            return;
        }
        List<Change> all = new ArrayList<>(changes);
        Set<UUID> removed = new TreeSet<>();
        for (Change change : changes) {
            if (change instanceof Change.RemoveAll gone) {
                removed.add(gone.owner());
            }
        }
        Set<UUID> marked = new TreeSet<>(unmarked);
        marked.removeAll(removed);
        all.addAll(marks(marked));
        journal.commit(all);
        refusals.marked(marked);
    }

    private List<Change> marks(Set<UUID> instances) throws IOException {
        List<Change> marks = new ArrayList<>();
        for (UUID instance : instances) {
            String reason = refusals.reason(instance).orElse("");
            marks.add(next(ItemKind.REPLAYED.of(instance), version -> reason.getBytes(UTF_8)));
        }
        return marks;
    }

    @FunctionalInterface
    private interface Content {
        byte[] of(long version) throws IOException;
    }

    private Change.Put next(ItemKey key, Content content) throws IOException {
        long version = journal.lastVersion(key) + 1;
        return new Change.Put(key, version, content.of(version));
    }

    private static Change remove(Item item) {
        return new Change.Remove(item.key(), item.version());
    }

    private Item item(ItemKey key) throws IOException {
        return journal.find(key).orElseThrow(() -> new IOException("it is missing in the journal"));
    }

    /** What is made or undone as a whole is anchored in a moment, and not only when the interval is over. */
    private void anchorSoon() {
        if (anchoringIsDue.compareAndSet(false, true)) {
            try {
                later.execute(() -> {
                    anchoringIsDue.set(false);
                    anchorQuietly();
                });
            } catch (RejectedExecutionException e) {
                // The storage is being closed, which anchors.
                anchoringIsDue.set(false);
            }
        }
    }

    private void anchorQuietly() {
        try {
            anchor();
        } catch (IOException e) {
            LOG.error("Storage {}: {}", folder, describe(e));
        }
    }

    private static boolean empty(byte @Nullable [] content) {
        return content == null || content.length == 0;
    }

    private <T> T onInstance(UUID instance, Query<T> query) throws StateException {
        @Nullable Entry entry = entries.get(instance);
        if (entry == null) {
            throw unknown(instance);
        }
        return exclusively(instance, entry, () -> {
            if (entries.get(instance) != entry) {
                throw unknown(instance);
            }
            return query.run();
        });
    }

    private void onInstance(UUID instance, Action action) throws StateException {
        onInstance(instance, () -> {
            action.run();
            return instance;
        });
    }

    private <T> T exclusively(UUID instance, Entry entry, Query<T> query) throws StateException {
        life.readLock().lock();
        try {
            if (closed) {
                throw new StateException("Instance " + instance + ": the storage is closed");
            }
            synchronized (entry) {
                return query.run();
            }
        } catch (IOException e) {
            throw failure(instance, e);
        } finally {
            life.readLock().unlock();
        }
    }

    private void alone(Action action) throws StateException {
        life.writeLock().lock();
        try {
            if (closed) {
                throw new StateException("Storage " + folder + " is closed");
            }
            action.run();
        } catch (StateException e) {
            throw e;
        } catch (IOException e) {
            throw new StateException("Storage " + folder + ": " + describe(e), e);
        } finally {
            life.writeLock().unlock();
        }
    }

    private StateException unknown(UUID instance) {
        return new StateException("There is no instance " + instance + " in " + folder);
    }

    private StateException failure(UUID instance, IOException e) {
        if (e instanceof StateException state) {
            return state;
        }
        boolean unusable = e instanceof UnusableException || e instanceof JournalException;
        return new StateException(
                "Instance " + instance + ": " + describe(e) + ". Nothing was changed; "
                        + (unusable
                                ? "put " + folder + " back as it was, or delete the instance"
                                : "put the disk right and try again"),
                e);
    }

    /** What an error of the disk means, for people. */
    static String describe(IOException e) {
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + " is missing";
        }
        if (e instanceof FileSystemException failed && failed.getFile() != null) {
            return failed.getFile() + ": " + (failed.getReason() == null ? "access denied" : failed.getReason());
        }
        return String.valueOf(e.getMessage());
    }
}
