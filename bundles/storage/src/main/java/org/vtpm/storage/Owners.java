package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.storage.StateException;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.journal.JournalException;

/**
 * The owners in a journal, instances and TPMs elsewhere, and whose turn it is: one operation at a time on each, any number on
 * different ones, and none while an operation has the storage alone or after it was closed. What fails in an operation comes
 * out as an error that names the owner and says what to do.
 */
final class Owners {
    private final Path folder;
    private final ConcurrentMap<UUID, Entry> entries = new ConcurrentHashMap<>();
    private final ReadWriteLock life = new ReentrantReadWriteLock();
    private boolean closed;

    /** An owner; its monitor lets one operation at a time through. */
    private static final class Entry {
        private final boolean foreign;

        Entry(boolean foreign) {
            this.foreign = foreign;
        }
    }

    /** An operation that answers. */
    @FunctionalInterface
    interface Query<T> {
        T run() throws IOException;
    }

    /** An operation that does not. */
    @FunctionalInterface
    interface Action {
        void run() throws IOException;
    }

    /**
     * Those in a journal that was just opened.
     *
     * @param folder of the storage, for errors
     */
    Owners(Path folder, Journal journal) {
        this.folder = folder;
        for (UUID owner : journal.owners()) {
            if (!owner.equals(ItemKind.HOST)) {
                boolean foreign = journal.find(ItemKind.FOREIGN.of(owner)).isPresent();
                entries.put(owner, new Entry(foreign));
            }
        }
    }

    /** All that there are at any time. */
    Set<UUID> all() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    /** How many of them are instances. */
    int instances() {
        return (int) entries.values().stream().filter(entry -> !entry.foreign).count();
    }

    /** Those that are TPMs elsewhere now. */
    Set<UUID> foreign() {
        Set<UUID> foreign = new TreeSet<>();
        entries.forEach((owner, entry) -> {
            if (entry.foreign) {
                foreign.add(owner);
            }
        });
        return foreign;
    }

    boolean isForeign(UUID owner) {
        @Nullable Entry entry = entries.get(owner);
        return entry != null && entry.foreign;
    }

    /**
     * Adds an owner, if there is none of this UUID, and has its turn.
     *
     * @param first stores it; if that fails the owner is not there
     * @return false if there was one
     */
    boolean add(UUID owner, boolean foreign, Action first) throws StateException {
        Entry entry = new Entry(foreign);
        return exclusively(owner, entry, () -> {
            if (owner.equals(ItemKind.HOST) || entries.putIfAbsent(owner, entry) != null) {
                return false;
            }
            boolean done = false;
            try {
                first.run();
                done = true;
            } finally {
                if (!done) {
                    entries.remove(owner, entry);
                }
            }
            return true;
        });
    }

    /** Forgets an owner; called in its turn. */
    void remove(UUID owner) {
        entries.remove(owner);
    }

    /** Asks each instance in its turn. */
    <T> List<T> ofEachInstance(Function<UUID, T> query) throws StateException {
        List<T> answers = new ArrayList<>();
        for (Map.Entry<UUID, Entry> known : entries.entrySet()) {
            UUID instance = known.getKey();
            Entry entry = known.getValue();
            var unused = exclusively(
                    instance,
                    entry,
                    () -> entries.get(instance) == entry && !entry.foreign && answers.add(query.apply(instance)));
        }
        return answers;
    }

    /** Asks an owner in its turn. */
    <T> T on(UUID owner, Query<T> query) throws StateException {
        @Nullable Entry entry = entries.get(owner);
        if (entry == null) {
            throw unknown(owner);
        }
        return exclusively(owner, entry, () -> {
            if (entries.get(owner) != entry) {
                throw unknown(owner);
            }
            return query.run();
        });
    }

    /** Does something with an owner in its turn. */
    void on(UUID owner, Action action) throws StateException {
        on(owner, () -> {
            action.run();
            return owner;
        });
    }

    /** Does something with the storage as a whole, while nobody else does anything. */
    void alone(Action action) throws StateException {
        try {
            if (!aloneIfOpen(action)) {
                throw new StateException("Storage " + folder + " is closed");
            }
        } catch (StateException e) {
            throw e;
        } catch (IOException e) {
            throw new StateException("Storage " + folder + ": " + DiskErrors.describe(e), e);
        }
    }

    /**
     * The same, for what is not an operator's or a guest's.
     *
     * @return false, and nothing is done, if the storage is closed
     */
    boolean aloneIfOpen(Action action) throws IOException {
        life.writeLock().lock();
        try {
            if (closed) {
                return false;
            }
            action.run();
            return true;
        } finally {
            life.writeLock().unlock();
        }
    }

    /** Does something beside operations on owners, but not beside one that has the storage alone, nor after the end. */
    void togetherIfOpen(Action action) throws IOException {
        life.readLock().lock();
        try {
            if (!closed) {
                action.run();
            }
        } finally {
            life.readLock().unlock();
        }
    }

    /** Looks at what only those change who have the storage alone. */
    <T> T together(Supplier<T> look) {
        life.readLock().lock();
        try {
            return look.get();
        } finally {
            life.readLock().unlock();
        }
    }

    /** Lets nobody in any more; the last action runs alone, and only the first time. */
    void close(Action last) throws IOException {
        var unused = aloneIfOpen(() -> {
            closed = true;
            last.run();
        });
    }

    /** What an error in an operation on an owner means for people. */
    StateException failure(UUID owner, IOException e) {
        if (e instanceof StateException state) {
            return state;
        }
        boolean unusable = e instanceof UnusableException || e instanceof JournalException;
        return new StateException(
                "Instance " + owner + ": " + DiskErrors.describe(e) + ". Nothing was changed; "
                        + (unusable
                                ? "put " + folder + " back as it was, or delete the instance"
                                : "put the disk right and try again"),
                e);
    }

    private <T> T exclusively(UUID owner, Entry entry, Query<T> query) throws StateException {
        life.readLock().lock();
        try {
            if (closed) {
                throw new StateException("Instance " + owner + ": the storage is closed");
            }
            synchronized (entry) {
                return query.run();
            }
        } catch (IOException e) {
            throw failure(owner, e);
        } finally {
            life.readLock().unlock();
        }
    }

    private StateException unknown(UUID owner) {
        return new StateException("There is no instance " + owner + " in " + folder);
    }
}
