package org.vtpm.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateStore;

/**
 * The instances in an open storage folder: one folder each, named by UUID, with a record file and a state file. What is on
 * disk is at every moment either what was before a change or what is after. A file that is not as it was stored is never
 * written over.
 */
final class FolderStore implements StateStore, Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(FolderStore.class);

    private final Disk disk;
    private final Folder folder;
    private final HostKey hostKey;
    private final Closeable folderLock;
    private final SecureRandom random = new SecureRandom();
    private final ConcurrentMap<UUID, Entry> entries = new ConcurrentHashMap<>();
    // Operations share it, so they do not wait for each other; closing has it alone, so that no key is zeroed in use.
    private final ReadWriteLock life = new ReentrantReadWriteLock();
    private boolean closed;

    /** What is known of an instance between operations; its monitor lets one operation at a time through. */
    private static final class Entry {
        /** Generation of the state that was last stored or opened: older state is a replay. */
        private long generation;
    }

    /** A file that is there, but not as it was stored. */
    private static final class UnusableException extends IOException {
        private static final long serialVersionUID = 1L;

        UnusableException(Path file, IOException cause) {
            super(file + " cannot be used: " + cause.getMessage(), cause);
        }
    }

    @FunctionalInterface
    private interface Query<T> {
        T run(Entry entry) throws IOException;
    }

    @FunctionalInterface
    private interface Change {
        void run(Entry entry) throws IOException;
    }

    /** Serves a folder that {@link StorageOpener} checked and locked; the key and the lock become this store's. */
    FolderStore(Disk disk, Folder folder, HostKey hostKey, Closeable folderLock, List<UUID> instances) {
        this.disk = disk;
        this.folder = folder;
        this.hostKey = hostKey;
        this.folderLock = folderLock;
        instances.forEach(instance -> entries.put(instance, new Entry()));
    }

    @Override
    public List<InstanceRecord> instances() throws StateException {
        List<InstanceRecord> records = new ArrayList<>();
        for (Map.Entry<UUID, Entry> known : entries.entrySet()) {
            UUID instance = known.getKey();
            exclusively(instance, known.getValue(), entry -> list(instance, entry))
                    .ifPresent(records::add);
        }
        return records;
    }

    @Override
    public void create(InstanceRecord record, Map<StateKind, byte[]> state) throws StateException {
        UUID instance = record.uuid();
        Entry added = new Entry();
        exclusively(instance, added, entry -> {
            if (entries.putIfAbsent(instance, entry) != null) {
                throw new StateException("Instance " + instance + " exists already in " + folder.root());
            }
            boolean done = false;
            try (StateFile first = StateFile.create(instance, state, hostKey, random)) {
                folder.create(instance, new RecordFile(record, 1).encode(hostKey), first.encode(random));
                entry.generation = first.generation();
                done = true;
            } finally {
                if (!done) {
                    entries.remove(instance, entry);
                }
            }
            return entry;
        });
    }

    @Override
    public void update(InstanceRecord record) throws StateException {
        UUID instance = record.uuid();
        Path file = folder.record(instance);
        change(instance, entry -> {
            byte[] previous = disk.read(file, RecordFile.LIMIT);
            long generation = openRecord(instance, previous).generation() + 1;
            folder.replace(file, new RecordFile(record, generation).encode(hostKey), previous);
        });
    }

    @Override
    public Map<StateKind, byte[]> load(UUID instance) throws StateException {
        return onInstance(instance, entry -> {
            // A record that was tampered with could start the instance with another's endpoints.
            openRecord(instance, disk.read(folder.record(instance), RecordFile.LIMIT));
            try (StateFile state = openState(instance, entry, disk.read(folder.state(instance), StateFile.LIMIT))) {
                entry.generation = state.generation();
                return state.copyParts();
            }
        });
    }

    @Override
    public void save(UUID instance, Map<StateKind, byte[]> changes) throws StateException {
        Path file = folder.state(instance);
        change(instance, entry -> {
            byte[] previous = disk.read(file, StateFile.LIMIT);
            try (StateFile current = openState(instance, entry, previous);
                    StateFile next = current.changed(changes)) {
                folder.replace(file, next.encode(random), previous);
                entry.generation = next.generation();
            }
        });
    }

    @Override
    public void delete(UUID instance) throws StateException {
        change(instance, entry -> {
            Path dropped = folder.drop(instance);
            entries.remove(instance, entry);
            StorageOpener.clear(folder, dropped);
        });
    }

    /** Zeroes the keys and gives the folder free, when the operations that run have ended. */
    @Override
    public void close() throws IOException {
        life.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                hostKey.close();
                folderLock.close();
            }
        } finally {
            life.writeLock().unlock();
        }
    }

    /** The record of an instance for the list of all: also of one whose record cannot be read. */
    private Optional<InstanceRecord> list(UUID instance, Entry entry) {
        if (entries.get(instance) != entry) {
            return Optional.empty();
        }
        try {
            return Optional.of(openRecord(instance, disk.read(folder.record(instance), RecordFile.LIMIT))
                    .record());
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

    private RecordFile openRecord(UUID instance, byte[] content) throws IOException {
        try {
            return RecordFile.decode(content, hostKey, instance);
        } catch (IOException e) {
            throw new UnusableException(folder.record(instance), e);
        }
    }

    private StateFile openState(UUID instance, Entry entry, byte[] content) throws IOException {
        StateFile state;
        try {
            state = StateFile.decode(content, hostKey, instance);
        } catch (IOException e) {
            throw new UnusableException(folder.state(instance), e);
        }
        if (state.generation() < entry.generation) {
            state.close();
            throw new UnusableException(
                    folder.state(instance),
                    new IOException("it is older (generation " + state.generation()
                            + ") than what was stored last (generation " + entry.generation + ")"));
        }
        return state;
    }

    private <T> T onInstance(UUID instance, Query<T> query) throws StateException {
        @Nullable Entry entry = entries.get(instance);
        if (entry == null) {
            throw unknown(instance);
        }
        return exclusively(instance, entry, found -> {
            if (entries.get(instance) != found) {
                throw unknown(instance);
            }
            return query.run(found);
        });
    }

    private void change(UUID instance, Change change) throws StateException {
        onInstance(instance, entry -> {
            change.run(entry);
            return entry;
        });
    }

    private <T> T exclusively(UUID instance, Entry entry, Query<T> query) throws StateException {
        life.readLock().lock();
        try {
            if (closed) {
                throw new StateException("Instance " + instance + ": the storage is closed");
            }
            synchronized (entry) {
                return query.run(entry);
            }
        } catch (IOException e) {
            throw failure(instance, e);
        } finally {
            life.readLock().unlock();
        }
    }

    private StateException unknown(UUID instance) {
        return new StateException("There is no instance " + instance + " in " + folder.root());
    }

    private StateException failure(UUID instance, IOException e) {
        if (e instanceof StateException state) {
            return state;
        }
        boolean unusable = e instanceof UnusableException || e instanceof NoSuchFileException;
        return new StateException(
                "Instance " + instance + ": " + describe(e) + ". Nothing was changed; "
                        + (unusable
                                ? "put " + folder.instance(instance) + " back as it was, or delete the instance"
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
