package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.vtpm.api.storage.StateException;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.Anchoring.Standing;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.ItemKey;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.journal.JournalKey;
import org.vtpm.storage.journal.JournalStatistics;
import org.vtpm.storage.key.HostSecret;
import org.vtpm.storage.key.KeyRing;

/**
 * An open journal with the key ring in it: reads items, makes changes of the right version, and commits them. The ring changes
 * only while nobody else has a turn, so that whoever has one may use it.
 */
final class KeyedJournal {
    private final Journal journal;
    private final Owners owners;
    private final Refusals refusals;
    private final SecureRandom random;
    private KeyRing ring;

    /** Content of an item, which may be bound to the item's version. */
    @FunctionalInterface
    interface Content {
        byte[] of(long version) throws IOException;
    }

    /** Takes an open journal and its ring, which become this object's. */
    KeyedJournal(Journal journal, KeyRing ring, Owners owners, Refusals refusals, SecureRandom random) {
        this.journal = journal;
        this.ring = ring;
        this.owners = owners;
        this.refusals = refusals;
        this.random = random;
    }

    /** The key ring, for whoever has a turn. */
    KeyRing ring() {
        return ring;
    }

    /** Lets look at the key ring. */
    <T> T look(Function<KeyRing, T> look) {
        return owners.together(() -> look.apply(ring));
    }

    Optional<Item> find(ItemKey key) {
        return journal.find(key);
    }

    List<Item> items(UUID owner) {
        return journal.items(owner);
    }

    byte[] read(Item item) throws IOException {
        return journal.read(item);
    }

    /** An item that has to be there. */
    Item item(ItemKey key) throws IOException {
        return journal.find(key).orElseThrow(() -> new IOException("it is missing in the journal"));
    }

    /** The change that gives an item another content. */
    Change.Put next(ItemKey key, Content content) throws IOException {
        long version = journal.lastVersion(key) + 1;
        return new Change.Put(key, version, content.of(version));
    }

    /** The change that removes an item that is there. */
    static Change remove(Item item) {
        return new Change.Remove(item.key(), item.version());
    }

    /** Makes changes durable; the first ones after old state was found say so of each instance. */
    void commit(List<Change> changes) throws IOException {
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

    /** Removes an owner with all that it has; called in its turn. */
    void delete(UUID owner) throws IOException {
        commit(List.of(new Change.RemoveAll(owner)));
        refusals.remove(owner);
        owners.remove(owner);
    }

    /** Stores another key ring and uses it from then on. */
    void replaceRing(HostSecret secret, UnaryOperator<KeyRing> change) throws StateException {
        owners.alone(() -> store(change.apply(ring), secret, List.of()));
    }

    /** Stores a ring that is tied to another counter, and marks for all that is refused, for that counter knows nothing of it. */
    void storeWithCounter(HostSecret secret, KeyRing.Counter counter) throws IOException {
        store(ring.withCounter(counter), secret, marks(refusals.unmarked()));
        refusals.allMarked();
    }

    /** Moves the journal under another secret. */
    void moveUnder(HostSecret next) throws StateException {
        owners.alone(() -> {
            Change.Put sealed = next(ItemKind.KEY_RING.ofHost(), version -> ring.seal(next, random));
            byte[] chainKey = next.chainKey();
            try {
                journal.compact(new JournalKey(next.id(), chainKey), List.of(sealed));
            } finally {
                Secrets.zero(chainKey);
            }
        });
    }

    /** Writes what counts into a new file. */
    void compact() throws StateException {
        owners.alone(() -> journal.compact());
    }

    /** Name of the host's secret that the journal is under. */
    byte[] hostKeyId() {
        return journal.hostKeyId();
    }

    JournalStatistics statistics() {
        return journal.statistics();
    }

    /** Zeroes the keys; called when nobody has a turn any more. */
    void close() throws IOException {
        try {
            journal.close();
        } finally {
            ring.close();
        }
    }

    /** The ring becomes this object's, once it is stored. */
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

    private List<Change> marks(Set<UUID> instances) throws IOException {
        List<Change> marks = new ArrayList<>();
        for (UUID instance : instances) {
            String reason = refusals.reason(instance).orElse("");
            marks.add(next(ItemKind.REPLAYED.of(instance), version -> reason.getBytes(UTF_8)));
        }
        return marks;
    }
}
