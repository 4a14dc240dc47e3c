package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.vtpm.storage.disk.Disk;

/** Journals for tests: small files, and what is in them as text. */
final class Journals {
    static final Path FOLDER = Path.of("/journal");
    static final JournalKey KEY = key(1);

    private Journals() {}

    /** Compacts only when it is told to. */
    static JournalSettings settings(int preallocate) {
        return new JournalSettings(Long.MAX_VALUE / 4, preallocate, task -> {
            throw new AssertionError("no compaction is due");
        });
    }

    static JournalKey key(int seed) {
        byte[] id = new byte[JournalKey.ID_LENGTH];
        byte[] secret = new byte[JournalKey.KEY_LENGTH];
        Arrays.fill(id, (byte) seed);
        Arrays.fill(secret, (byte) (seed + 100));
        return new JournalKey(id, secret);
    }

    static Journal newJournal(Disk disk, Change... first) throws IOException {
        return Journal.create(disk, FOLDER, KEY, List.of(first), settings(1024));
    }

    static Journal open(Disk disk) throws IOException {
        return Journal.open(disk, FOLDER, KEY, settings(1024));
    }

    static Path file(int number) {
        return FOLDER.resolve(String.format("%016d", number));
    }

    static UUID uuid(int number) {
        return new UUID(0x1234, number);
    }

    static ItemKey item(int owner, String name) {
        return new ItemKey(uuid(owner), 1, name);
    }

    static Change.Put put(int owner, String name, long version, String content) {
        return new Change.Put(item(owner, name), version, content.getBytes(UTF_8));
    }

    static Change.Remove remove(int owner, String name, long version) {
        return new Change.Remove(item(owner, name), version);
    }

    static Change.RemoveAll removeAll(int owner) {
        return new Change.RemoveAll(uuid(owner));
    }

    /** An anchor of the root and a text. */
    static Journal.AnchorSource anchor(String text) {
        return root -> {
            byte[] content = Arrays.copyOf(root, root.length + text.length());
            System.arraycopy(text.getBytes(UTF_8), 0, content, root.length, text.length());
            return content;
        };
    }

    /** All that is in a journal, read from disk: owner's number, name, version and content; the anchor without its root. */
    static Map<String, String> contents(Journal journal) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        Set<UUID> owners = new HashSet<>(journal.owners());
        owners.add(ItemKey.ANCHOR.owner());
        for (UUID owner : owners) {
            for (Item item : journal.items(owner)) {
                byte[] content = journal.read(item);
                boolean anchor = item.key().equals(ItemKey.ANCHOR);
                int start = anchor ? 32 : 0;
                contents.put(
                        anchor
                                ? "anchor"
                                : owner.getLeastSignificantBits() + " "
                                        + item.key().name(),
                        item.version() + " " + new String(content, start, content.length - start, UTF_8));
            }
        }
        return contents;
    }
}
