package org.vtpm.storage.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.storage.disk.AppendFile;
import org.vtpm.storage.disk.Disk;

/**
 * A durable map from {@link ItemKey}s to contents, in files that are only appended to. What commits wait for is written
 * together, and synced once. Each block is authenticated together with all before it: nothing in a file can be changed, left
 * out, added, reordered, or taken from another file without being noticed; only its end can be cut off, and that is what the
 * {@link #commitAnchor anchor} is for.
 *
 * <p>Where versions and digests are kept in memory, contents stay on disk and are checked when they are read. Thread-safe.
 * One journal at a time may use a folder: keeping others out of it is the caller's part.
 */
public final class Journal implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
    private static final int GROUP = 4 << 20;

    private final Disk disk;
    private final Folder folder;
    private final JournalSettings settings;
    private final CommitQueue queue = new CommitQueue(GROUP);
    // Held by who compacts, for as long as it takes.
    private final ReentrantLock compacting = new ReentrantLock();
    private final AtomicBoolean compactionIsDue = new AtomicBoolean();
    private final List<Finding> tornEnd;

    // Written by the leader of the queue only, holding the monitor; read by it, or by others holding the monitor.
    private final Object monitor = new Object();
    private Generation current;
    private @Nullable Generation previous;
    private boolean closed;
    private long blocks;
    private long commits;
    private long failures;
    private long compactions;
    private long compactAbove;

    private volatile boolean closing;

    // The leader's alone.
    private boolean folderSynced = true;
    private @Nullable Rewrite latest;

    /** An anchor's content. */
    @FunctionalInterface
    public interface AnchorSource {
        /**
         * Makes the content. No commit is written meanwhile.
         *
         * @param root of the hash tree over everything that is durable, 32 bytes
         * @return the root, and whatever is to follow it
         */
        byte[] content(byte[] root) throws IOException;
    }

    private Journal(Disk disk, Folder folder, JournalSettings settings, Generation current, List<Finding> tornEnd) {
        this.disk = disk;
        this.folder = folder;
        this.settings = settings;
        this.current = current;
        this.tornEnd = tornEnd;
        compactAbove = settings.compactAbove();
    }

    /**
     * The name of the host key that the journal in a folder was made under; empty if there is no journal.
     *
     * @throws JournalException if it cannot be told
     */
    public static Optional<byte[]> hostKeyId(Disk disk, Path folder) throws IOException {
        Folder files = new Folder(disk, folder);
        List<Long> numbers = files.numbers();
        if (numbers.isEmpty()) {
            return Optional.empty();
        }
        try (AppendFile file = disk.open(files.file(numbers.get(numbers.size() - 1)), false)) {
            byte[] start = new Window(file).upTo(0, FileHeader.LENGTH);
            try {
                return Optional.of(FileHeader.decode(start).hostKeyId());
            } catch (IOException e) {
                throw new JournalException(List.of(
                        new Finding(Finding.Kind.DAMAGED, file.path(), 0, String.valueOf(e.getMessage()), Set.of())));
            }
        }
    }

    /**
     * Makes a journal, and the folder for it if it is missing. A crash leaves either no journal or one that holds all of
     * {@code first}.
     *
     * @throws IOException if there is a journal in the folder, or the disk fails
     */
    public static Journal create(Disk disk, Path folder, JournalKey key, List<Change> first, JournalSettings settings)
            throws IOException {
        Folder files = new Folder(disk, folder);
        disk.makeFolders(folder);
        if (!files.numbers().isEmpty()) {
            throw new IOException(folder + " holds a journal already");
        }
        files.clear();
        AppendFile file = disk.create(files.draft(1));
        try {
            Generation generation = Generation.start(file, 1, key, settings.preallocate());
            Generation.Draft draft = generation.new Draft();
            draft.add(List.of(BlockEntry.of(new Entry.Whole())), true);
            draft.add(entries(first), true);
            draft.write();
            draft.apply();
            file.rename(files.file(1));
            disk.syncFolder(folder);
            return new Journal(disk, files, settings, generation, List.of());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Opens the journal in a folder. If anything is wrong, nothing on disk is changed.
     *
     * @throws JournalException if a file is not as it was written; {@link #tornEnd} is no such case
     * @throws IOException if there is no journal, or the disk fails
     */
    public static Journal open(Disk disk, Path folder, JournalKey key, JournalSettings settings) throws IOException {
        Folder files = new Folder(disk, folder);
        List<Long> numbers = files.numbers();
        if (numbers.isEmpty()) {
            throw new IOException("there is no journal in " + folder);
        }
        long number = numbers.get(numbers.size() - 1);
        AppendFile file = disk.open(files.file(number), true);
        try {
            Scan scan = Scan.of(new Window(file), number, key);
            if (!scan.isSound()) {
                throw new JournalException(scan.findings());
            }
            scan.findings().forEach(finding -> LOG.warn("{}", finding));
            Generation generation = Generation.resume(file, number, key, settings.preallocate(), scan);
            disk.syncFolder(folder);
            files.clear();
            return new Journal(disk, files, settings, generation, scan.findings());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** The part of a block that the file ended with when it was opened; the next commit removes it. */
    public Optional<Finding> tornEnd() {
        return tornEnd.stream().findFirst();
    }

    /** The name of the host key that the journal is under now. */
    public byte[] hostKeyId() {
        synchronized (monitor) {
            return current.key().hostKeyId().clone();
        }
    }

    /** An item as it is now. */
    public Optional<Item> find(ItemKey key) {
        synchronized (monitor) {
            @Nullable StoredItem item = stored(key);
            return item == null || item.isRemoved() ? Optional.empty() : Optional.of(item.item(key.owner()));
        }
    }

    /** The version of an item, or the last that it had if it was removed; 0 if its owner never had it. */
    public long lastVersion(ItemKey key) {
        synchronized (monitor) {
            @Nullable StoredItem item = stored(key);
            return item == null ? 0 : item.version;
        }
    }

    /** What an owner has, by kind and name. */
    public List<Item> items(UUID owner) {
        synchronized (monitor) {
            @Nullable Owner found = current.index().get(owner);
            return found == null
                    ? List.of()
                    : found.items().map(item -> item.item(owner)).toList();
        }
    }

    /** All who have items; the anchor's owner is not among them. */
    public Set<UUID> owners() {
        Owner[][] snapshot;
        synchronized (monitor) {
            snapshot = current.index().snapshot();
        }
        Set<UUID> owners = new HashSet<>();
        for (Owner[] bucket : snapshot) {
            for (Owner owner : bucket) {
                if (owner.items().anyMatch(item -> item.kind != ItemKey.ANCHOR_KIND)) {
                    owners.add(owner.uuid);
                }
            }
        }
        return owners;
    }

    /**
     * An item's content.
     *
     * @param item as it was found; it must not have been changed or removed since
     * @throws JournalException if the content on disk is not what was written
     */
    public byte[] read(Item item) throws IOException {
        ItemKey key = item.key();
        while (true) {
            Generation generation;
            @Nullable StoredItem stored;
            synchronized (monitor) {
                generation = current;
                stored = stored(key);
            }
            if (stored == null || stored.version != item.version() || !Arrays.equals(stored.digest(), item.digest())) {
                throw new IOException(key + " was changed since version " + item.version() + " was found");
            }
            try {
                return generation.read(stored, key);
            } catch (IOException e) {
                synchronized (monitor) {
                    if (closed || generation == current) {
                        throw e;
                    }
                }
                // The file was compacted and closed meanwhile.
            }
        }
    }

    /**
     * Makes changes: all, durably, or none. Those of several callers become durable together.
     *
     * @throws IllegalArgumentException if a version does not follow, or what is to be removed is not there
     * @throws IOException if the disk fails. Then the journal is as it was, and the next commit tries again, in a new file
     *     if need be; only if taking them back failed too may the changes be there after a restart, all of them
     */
    public void commit(List<Change> changes) throws IOException {
        if (!changes.isEmpty()) {
            check(queue.commit(entries(changes), this::write));
            compactIfDue();
        }
    }

    /**
     * Commits the {@link ItemKey#ANCHOR anchor}, with nothing else in its block. {@link #open} checks that the root that it
     * begins with is that of everything before it.
     *
     * @throws IllegalArgumentException if the content does not begin with the root
     * @throws IOException from {@code source}, or if the disk fails; as for {@link #commit}
     */
    public void commitAnchor(AnchorSource source) throws IOException {
        queue.alone(() -> {
            makeReady();
            byte[] root = root();
            byte[] content = source.content(root.clone());
            if (content.length < root.length || !Arrays.equals(root, Arrays.copyOf(content, root.length))) {
                throw new IllegalArgumentException("an anchor begins with the root of the tree");
            }
            Generation.Draft draft = current.new Draft();
            draft.add(List.of(BlockEntry.put(ItemKey.ANCHOR, lastVersion(ItemKey.ANCHOR) + 1, content)), true);
            write(draft, 1);
            return draft;
        });
        compactIfDue();
    }

    /** The root of the hash tree over all items but the anchor, as they are now: 32 bytes. */
    public byte[] root() {
        synchronized (monitor) {
            return current.index().root();
        }
    }

    /** Grows with each block that was made durable since the journal was opened; anchors count too. */
    public long sequence() {
        synchronized (monitor) {
            return blocks;
        }
    }

    /**
     * Writes all that counts into a new file, under another host key if {@code key} has another one, and makes changes in the
     * same step. Commits go on meanwhile but for a moment at the end. The file before stays, the one before that is removed.
     *
     * @throws IllegalArgumentException as for {@link #commit}
     * @throws IOException if the disk fails or the content of an item is damaged. The journal goes on as it was; but if it
     *     is the very last step that failed, {@link #hostKeyId} tells that the new key is in use
     */
    public void compact(JournalKey key, List<Change> with) throws IOException {
        List<BlockEntry> changes = entries(with);
        compacting.lock();
        try {
            rewrite(key, changes);
        } finally {
            compacting.unlock();
        }
    }

    /** Writes all that counts into a new file under the same key; otherwise as the other method of this name. */
    public void compact() throws IOException {
        JournalKey key;
        synchronized (monitor) {
            key = current.key();
        }
        compact(key, List.of());
    }

    /** How it is. */
    public JournalStatistics statistics() {
        synchronized (monitor) {
            Index index = current.index();
            return new JournalStatistics(
                    index.owners(), index.items(), index.bytes(), dead(), blocks, commits, failures, compactions);
        }
    }

    /** Waits for what is under way, gives a compaction up, zeroes the key and closes the files. */
    @Override
    public void close() throws IOException {
        closing = true;
        compacting.lock();
        try {
            queue.alone(() -> {
                synchronized (monitor) {
                    if (!closed) {
                        closed = true;
                        closePrevious();
                        current.close();
                    }
                }
                return closed;
            });
        } finally {
            compacting.unlock();
        }
    }

    /** Writes the changes of those that wait, as the leader. */
    private void write(List<CommitQueue.Commit> group) {
        try {
            makeReady();
            Generation.Draft draft = current.new Draft();
            int accepted = 0;
            for (CommitQueue.Commit commit : group) {
                try {
                    draft.add(commit.changes(), true);
                    accepted++;
                } catch (IllegalArgumentException e) {
                    commit.fail(e);
                }
            }
            if (accepted > 0) {
                write(draft, accepted);
            }
        } catch (IOException e) {
            group.forEach(commit -> commit.fail(e));
        }
    }

    private void write(Generation.Draft draft, int callers) throws IOException {
        try {
            draft.write();
        } catch (IOException e) {
            synchronized (monitor) {
                failures++;
            }
            throw e;
        }
        synchronized (monitor) {
            draft.apply();
            blocks++;
            commits += callers;
        }
    }

    /** Lets no block be acknowledged that a loss of power could take away: in a file whose sync failed, or without a name. */
    private void makeReady() throws IOException {
        if (closed) {
            throw new IOException("the journal in " + folder.path() + " is closed");
        }
        if (!folderSynced) {
            disk.syncFolder(folder.path());
            folderSynced = true;
        }
        if (!current.isTrusted()) {
            LOG.warn(
                    "{} could not be synced, and so is written anew",
                    current.file().path());
            Rewrite rewrite = start(current.key(), () -> false);
            try {
                rewrite.copy(current.index().snapshot());
                switchTo(rewrite, List.of());
            } catch (IOException | RuntimeException e) {
                discard(rewrite, e);
                throw e;
            }
        }
    }

    /**
     * Compacts, holding the lock for it.
     *
     * @param key null for the key that the journal is under
     */
    private void rewrite(@Nullable JournalKey key, List<BlockEntry> with) throws IOException {
        Rewrite rewrite = queue.alone(() -> {
            makeReady();
            return start(key == null ? current.key() : key, () -> closing);
        });
        try {
            rewrite.copy(snapshot(rewrite.from()));
            // What changed while most of it was copied. What changes now is less, and commits wait for that alone.
            rewrite.copy(snapshot(rewrite.from()));
            queue.alone(() -> {
                makeReady();
                if (latest != rewrite) {
                    throw new IOException(rewrite.from().file().path() + " was written anew meanwhile");
                }
                rewrite.copy(snapshot(current));
                switchTo(rewrite, with);
                return rewrite;
            });
        } catch (IOException | RuntimeException e) {
            queue.alone(() -> {
                discard(rewrite, e);
                return rewrite;
            });
            throw e;
        }
    }

    /** Starts the draft of the next file, as the leader; one that was started before can no longer be completed. */
    private Rewrite start(JournalKey key, BooleanSupplier stopped) throws IOException {
        latest = null;
        latest = new Rewrite(disk, folder, current, key, settings.preallocate(), stopped);
        return latest;
    }

    /** Lets the next file count, as the leader. */
    private void switchTo(Rewrite rewrite, List<BlockEntry> with) throws IOException {
        Generation next = rewrite.finish(with);
        folderSynced = false;
        synchronized (monitor) {
            closePrevious();
            previous = current;
            current = next;
            compactions++;
            compactAbove = settings.compactAbove();
        }
        disk.syncFolder(folder.path());
        folderSynced = true;
        folder.clear();
    }

    /** Gives a draft up after an error, as the leader; unless it counts already. */
    private void discard(Rewrite rewrite, Exception cause) {
        if (rewrite.to() != current) {
            try {
                rewrite.to().close();
                if (latest == rewrite) {
                    folder.removeDraft(rewrite.to().number());
                }
            } catch (IOException e) {
                cause.addSuppressed(e);
            }
        }
    }

    private void compactIfDue() {
        if (isCompactionDue() && compactionIsDue.compareAndSet(false, true)) {
            try {
                settings.background().execute(this::compactInBackground);
            } catch (RejectedExecutionException e) {
                compactionIsDue.set(false);
                LOG.warn("The journal in {} cannot be compacted now: {}", folder.path(), e.getMessage());
            }
        }
    }

    private void compactInBackground() {
        compacting.lock();
        try {
            if (!closing && isCompactionDue()) {
                rewrite(null, List.of());
            }
        } catch (IOException | RuntimeException e) {
            if (!closing) {
                LOG.error("The journal in {} cannot be compacted: {}", folder.path(), e.getMessage());
            }
            synchronized (monitor) {
                compactAbove = dead() + settings.compactAbove();
            }
        } finally {
            compacting.unlock();
            compactionIsDue.set(false);
        }
    }

    private boolean isCompactionDue() {
        synchronized (monitor) {
            return dead() > Math.max(compactAbove, 2 * current.index().bytes());
        }
    }

    /** Bytes of the file that hold nothing that counts; holding the monitor. */
    private long dead() {
        return Math.max(0, current.position() - current.index().bytes());
    }

    private Owner[][] snapshot(Generation generation) {
        synchronized (monitor) {
            return generation.index().snapshot();
        }
    }

    private @Nullable StoredItem stored(ItemKey key) {
        @Nullable Owner owner = current.index().get(key.owner());
        return owner == null ? null : owner.find(key.kind(), key.name());
    }

    private void closePrevious() {
        try {
            if (previous != null) {
                previous.close();
            }
        } catch (IOException e) {
            LOG.warn("A file that is of no use any more cannot be closed: {}", e.getMessage());
        }
        previous = null;
    }

    private static List<BlockEntry> entries(List<Change> changes) {
        return changes.stream().map(BlockEntry::of).toList();
    }

    private static void check(@Nullable Throwable failure) throws IOException {
        if (failure instanceof IOException) {
            // One reason may be many callers'; each gets a stack trace of its own.
            throw new IOException(failure.getMessage(), failure);
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }
}
