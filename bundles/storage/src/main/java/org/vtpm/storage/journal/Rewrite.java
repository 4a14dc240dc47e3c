package org.vtpm.storage.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.vtpm.storage.disk.AppendFile;
import org.vtpm.storage.disk.Disk;

/**
 * Copies what counts of one generation into the next one's draft. The old one may go on changing: each {@link #copy} brings
 * the draft up to date.
 */
final class Rewrite {
    private static final int BLOCK = 1 << 20;

    private final Folder folder;
    private final Disk disk;
    private final Generation from;
    private final BooleanSupplier stopped;
    private final Generation to;
    private Owner[][] copied = Index.nobody();

    /**
     * Starts a draft, in place of one that a crash left.
     *
     * @param stopped asked between blocks
     */
    Rewrite(Disk disk, Folder folder, Generation from, JournalKey key, int preallocate, BooleanSupplier stopped)
            throws IOException {
        this.disk = disk;
        this.folder = folder;
        this.from = from;
        this.stopped = stopped;
        long number = from.number() + 1;
        folder.removeDraft(number);
        AppendFile file = disk.create(folder.draft(number));
        try {
            to = Generation.start(file, number, key, preallocate);
        } catch (IOException e) {
            file.close();
            folder.removeDraft(number);
            throw e;
        }
    }

    Generation from() {
        return from;
    }

    Generation to() {
        return to;
    }

    /** Brings the draft to what {@link Index#snapshot} told. */
    void copy(Owner[][] now) throws IOException {
        List<BlockEntry> batch = new ArrayList<>();
        int length = 0;
        for (int bucket = 0; bucket < now.length; bucket++) {
            for (BlockEntry entry : differences(copied[bucket], now[bucket])) {
                batch.add(entry);
                length += entry.length();
                if (length >= BLOCK) {
                    write(batch, false);
                    batch.clear();
                    length = 0;
                }
            }
        }
        if (!batch.isEmpty()) {
            write(batch, false);
        }
        copied = now;
    }

    /** Completes the draft and gives it its name. If this throws, nothing has changed. */
    Generation finish(List<BlockEntry> with) throws IOException {
        write(List.of(BlockEntry.of(new Entry.Whole())), false);
        if (!with.isEmpty()) {
            write(with, true);
        }
        try {
            to.file().rename(folder.file(to.number()));
        } catch (IOException e) {
            if (!disk.exists(folder.file(to.number()))) {
                throw e;
            }
            // It is called a failure, but the file has its name and will count.
        }
        return to;
    }

    /** What has to be written so that the owners of a bucket become those that it has now. */
    private List<BlockEntry> differences(Owner[] before, Owner[] now) throws IOException {
        if (before == now) {
            return List.of();
        }
        List<BlockEntry> entries = new ArrayList<>();
        for (Owner old : before) {
            if (Arrays.stream(now).noneMatch(owner -> owner == old)) {
                entries.add(BlockEntry.of(Entry.RemoveAll.of(old.uuid)));
            }
        }
        for (Owner owner : now) {
            if (Arrays.stream(before).noneMatch(old -> old == owner)) {
                for (StoredItem item : owner.all()) {
                    entries.add(entry(owner, item));
                }
            }
        }
        return entries;
    }

    private BlockEntry entry(Owner owner, StoredItem item) throws IOException {
        ItemKey key = item.key(owner.uuid);
        return item.isRemoved()
                ? BlockEntry.of(Entry.Remove.of(key, item.version))
                : BlockEntry.put(key, item.version, from.read(item, key));
    }

    private void write(List<BlockEntry> entries, boolean checked) throws IOException {
        if (stopped.getAsBoolean()) {
            throw new IOException("compaction of " + from.file().path() + " was given up");
        }
        Generation.Draft draft = to.new Draft();
        draft.add(entries, checked);
        draft.write();
        draft.apply();
    }
}
