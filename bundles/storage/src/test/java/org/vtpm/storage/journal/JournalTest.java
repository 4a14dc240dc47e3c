package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.journal.Journals.FOLDER;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.anchor;
import static org.vtpm.storage.journal.Journals.contents;
import static org.vtpm.storage.journal.Journals.item;
import static org.vtpm.storage.journal.Journals.key;
import static org.vtpm.storage.journal.Journals.newJournal;
import static org.vtpm.storage.journal.Journals.open;
import static org.vtpm.storage.journal.Journals.put;
import static org.vtpm.storage.journal.Journals.remove;
import static org.vtpm.storage.journal.Journals.removeAll;
import static org.vtpm.storage.journal.Journals.settings;
import static org.vtpm.storage.journal.Journals.uuid;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.vtpm.storage.disk.AppendFile;
import org.vtpm.storage.disk.SimulatedDisk;

class JournalTest {
    private final SimulatedDisk disk = new SimulatedDisk();

    @Test
    void whatIsCommittedIsThereAlsoAfterOpeningAgain() throws Exception {
        Map<String, String> expected = Map.of("1 a", "2 longer than before", "1 b", "1 ", "2 a", "1 other");
        byte[] root;
        try (Journal journal = newJournal(disk, put(1, "a", 1, "first"))) {
            assertThat(contents(journal)).isEqualTo(Map.of("1 a", "1 first"));
            journal.commit(List.of(put(1, "b", 1, ""), put(2, "a", 1, "other")));
            journal.commit(List.of(put(1, "a", 2, "longer than before")));
            assertThat(contents(journal)).isEqualTo(expected);
            assertThat(journal.owners()).containsExactlyInAnyOrder(uuid(1), uuid(2));
            root = journal.root();
        }
        try (Journal journal = open(disk)) {
            assertThat(contents(journal)).isEqualTo(expected);
            assertThat(journal.root()).isEqualTo(root);
            assertThat(journal.tornEnd()).isEmpty();
            Item found = journal.find(item(1, "a")).orElseThrow();
            assertThat(found.version()).isEqualTo(2);
            assertThat(found.length()).isEqualTo(18);
            assertThat(found.digest())
                    .isEqualTo(MessageDigest.getInstance("SHA-256").digest("longer than before".getBytes(UTF_8)));
            assertThat(journal.find(item(3, "a"))).isEmpty();
            assertThat(journal.items(uuid(3))).isEmpty();
        }
    }

    @Test
    void versionsFollowEachOther() throws Exception {
        try (Journal journal = newJournal(disk)) {
            assertRefused(journal, put(1, "a", 2, "x"), "version 2: it was never there");
            journal.commit(List.of(put(1, "a", 1, "x")));
            assertRefused(journal, put(1, "a", 1, "y"), "it has version 1");
            assertRefused(journal, put(1, "a", 3, "y"), "it has version 1");
            assertRefused(journal, remove(1, "a", 2), "not there with version 2");
            assertRefused(journal, remove(1, "b", 1), "not there");
            assertRefused(journal, remove(2, "a", 1), "not there");
            journal.commit(List.of(put(1, "a", 2, "y"), put(1, "a", 3, "z")));
            assertThat(contents(journal)).isEqualTo(Map.of("1 a", "3 z"));
        }
    }

    @Test
    void aChangeThatIsRefusedTakesItsWholeListWithItAndNothingElse() throws Exception {
        try (Journal journal = newJournal(disk)) {
            assertThatThrownBy(() -> journal.commit(List.of(put(1, "a", 1, "x"), put(1, "b", 7, "y"))))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(contents(journal)).isEmpty();
            assertThat(journal.statistics().blocks()).isZero();
            journal.commit(List.of(put(1, "a", 1, "x")));
        }
        assertThat(contents(open(disk))).isEqualTo(Map.of("1 a", "1 x"));
    }

    @Test
    void theLastVersionOfWhatWasRemovedIsKeptAsLongAsItsOwner() throws Exception {
        try (Journal journal = newJournal(disk, put(1, "a", 1, "x"), put(1, "b", 1, "x"))) {
            journal.commit(List.of(put(1, "a", 2, "y")));
            journal.commit(List.of(remove(1, "a", 2)));
        }
        for (boolean compacted : new boolean[] {false, true}) {
            try (Journal journal = open(disk)) {
                if (compacted) {
                    journal.compact(KEY, List.of());
                }
                assertThat(journal.find(item(1, "a"))).isEmpty();
                assertThat(journal.lastVersion(item(1, "a"))).isEqualTo(2);
                assertRefused(journal, put(1, "a", 2, "again"), "it was removed with version 2");
                assertRefused(journal, remove(1, "a", 2), "not there");
                assertThat(journal.owners()).containsExactly(uuid(1));
            }
        }
        try (Journal journal = open(disk)) {
            assertThat(journal.lastVersion(item(1, "a"))).isEqualTo(2);
            journal.commit(List.of(put(1, "a", 9, "again")));
            journal.commit(List.of(removeAll(1)));
            assertThat(journal.lastVersion(item(1, "a"))).isZero();
            assertThat(journal.owners()).isEmpty();
            journal.commit(List.of(put(1, "a", 1, "new"), removeAll(5)));
            assertThat(contents(journal)).isEqualTo(Map.of("1 a", "1 new"));
        }
        assertThat(contents(open(disk))).isEqualTo(Map.of("1 a", "1 new"));
    }

    @Test
    void contentsOfAnySizeComeBack() throws Exception {
        int[] sizes = {0, 1, 400, 411, 412, 413, 447, 448, 449, 511, 512, 513, 4096, 70_000, 5_000_000};
        try (Journal journal = newJournal(disk)) {
            for (int size : sizes) {
                journal.commit(List.of(put(size, "zeros", 1, "\0".repeat(size)), put(size, "x", 1, "x".repeat(size))));
            }
        }
        Map<String, String> contents = contents(open(disk));
        assertThat(contents).hasSize(2 * sizes.length);
        for (int size : sizes) {
            assertThat(contents)
                    .containsEntry(size + " zeros", "1 " + "\0".repeat(size))
                    .containsEntry(size + " x", "1 " + "x".repeat(size));
        }
    }

    @Test
    void thereIsOneJournalInAFolder() throws Exception {
        assertThatThrownBy(() -> open(disk)).hasMessageContaining("there is no journal in /journal");
        assertThat(Journal.hostKeyId(disk, FOLDER)).isEmpty();
        newJournal(disk).close();
        assertThatThrownBy(() -> newJournal(disk)).hasMessageContaining("holds a journal already");
        assertThat(Journal.hostKeyId(disk, FOLDER)).hasValue(KEY.hostKeyId());
        assertThatThrownBy(() -> Journal.open(disk, FOLDER, key(2), settings(0)))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("made under another host key");
        JournalKey sameName = new JournalKey(KEY.hostKeyId(), key(2).chainKey());
        assertThatThrownBy(() -> Journal.open(disk, FOLDER, sameName, settings(0)))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("authentication fails");
    }

    @Test
    void anAnchorTellsTheRootOfAllBeforeIt() throws Exception {
        byte[] root;
        try (Journal journal = newJournal(disk, put(1, "a", 1, "x"))) {
            root = journal.root();
            journal.commitAnchor(anchor("counter 1"));
            assertThat(journal.root()).isEqualTo(root);
            Item item = journal.find(ItemKey.ANCHOR).orElseThrow();
            assertThat(journal.read(item)).startsWith(root);
            journal.commit(List.of(put(1, "b", 1, "y")));
            journal.commitAnchor(anchor("counter 2"));
            assertThat(journal.root()).isNotEqualTo(root);
            assertThat(journal.owners()).containsExactly(uuid(1));
            assertThatThrownBy(() -> journal.commitAnchor(old -> root))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("begins with the root");
            assertThatThrownBy(() -> new Change.Put(ItemKey.ANCHOR, 3, new byte[40]))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new Change.Remove(ItemKey.ANCHOR, 2)).isInstanceOf(IllegalArgumentException.class);
        }
        try (Journal journal = open(disk)) {
            assertThat(contents(journal)).containsEntry("anchor", "2 counter 2");
            journal.commit(List.of(put(1, "c", 1, "z")));
            journal.compact(KEY, List.of(put(1, "d", 1, "with")));
            assertThat(contents(journal)).containsEntry("anchor", "2 counter 2").containsEntry("1 d", "1 with");
        }
        assertThat(contents(open(disk))).containsEntry("anchor", "2 counter 2").hasSize(5);
    }

    @Test
    void compactingKeepsWhatCountsAndOneFileBefore() throws Exception {
        try (Journal journal = newJournal(disk)) {
            for (int version = 1; version <= 50; version++) {
                journal.commit(List.of(put(1, "a", version, "x".repeat(3000))));
            }
            byte[] root = journal.root();
            long dead = journal.statistics().deadBytes();
            assertThat(dead).isGreaterThan(49 * 3000);
            journal.compact(KEY, List.of());
            assertThat(disk.list(FOLDER)).containsExactly("0000000000000001", "0000000000000002");
            assertThat(journal.statistics().deadBytes()).isLessThan(2048);
            assertThat(journal.root()).isEqualTo(root);
            journal.commit(List.of(put(1, "a", 51, "after")));
            journal.compact(KEY, List.of());
            assertThat(disk.list(FOLDER)).containsExactly("0000000000000002", "0000000000000003");
            assertThat(journal.statistics().compactions()).isEqualTo(2);
        }
        assertThat(contents(open(disk))).isEqualTo(Map.of("1 a", "51 after"));
    }

    @Test
    void compactingChangesTheKeyAndMakesChangesInTheSameStep() throws Exception {
        JournalKey next = key(2);
        try (Journal journal = newJournal(disk, put(1, "a", 1, "x"), put(2, "a", 1, "y"))) {
            assertThatThrownBy(() -> journal.compact(next, List.of(put(1, "a", 7, "refused"))))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(journal.hostKeyId()).isEqualTo(KEY.hostKeyId());
            assertThat(disk.list(FOLDER)).containsExactly("0000000000000001");
            journal.compact(next, List.of(put(1, "a", 2, "z"), removeAll(2)));
            assertThat(journal.hostKeyId()).isEqualTo(next.hostKeyId());
            journal.commit(List.of(put(3, "a", 1, "after")));
        }
        assertThat(Journal.hostKeyId(disk, FOLDER)).hasValue(next.hostKeyId());
        assertThatThrownBy(() -> open(disk)).hasMessageContaining("made under another host key");
        try (Journal journal = Journal.open(disk, FOLDER, next, settings(0))) {
            assertThat(contents(journal)).isEqualTo(Map.of("1 a", "2 z", "3 a", "1 after"));
        }
    }

    @Test
    void compactionIsDueWhenMostOfALargeFileIsDead() throws Exception {
        Queue<Runnable> background = new ArrayDeque<>();
        JournalSettings settings = new JournalSettings(20_000, 1024, background::add);
        try (Journal journal = Journal.create(disk, FOLDER, KEY, List.of(), settings)) {
            journal.commit(List.of(put(1, "large", 1, "x".repeat(30_000))));
            for (int version = 1; version <= 50; version++) {
                assertThat(background).isEmpty();
                journal.commit(List.of(put(1, "a", version, "x".repeat(500))));
            }
            while (background.isEmpty()) {
                journal.commit(List.of(put(1, "a", journal.lastVersion(item(1, "a")) + 1, "x".repeat(500))));
            }
            assertThat(journal.statistics().deadBytes()).isBetween(60_000L, 64_000L);
            journal.commit(List.of(put(1, "b", 1, "while it waits")));
            assertThat(background).hasSize(1);
            background.remove().run();
            assertThat(journal.statistics().compactions()).isEqualTo(1);
            assertThat(journal.statistics().deadBytes()).isLessThan(3000);
            assertThat(contents(journal)).hasSize(3);
        }
    }

    @Test
    void aContentThatIsEditedUnderTheJournalIsFoundAndNamed() throws Exception {
        try (Journal journal = newJournal(disk, put(1, "a", 1, "content"), put(2, "b", 1, "other"))) {
            Item item = journal.find(item(1, "a")).orElseThrow();
            try (AppendFile file = disk.open(Journals.file(1), true)) {
                byte[] all = file.read(0, (int) file.size());
                int at = new String(all, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("content");
                file.write(at, "edited!".getBytes(UTF_8));
            }
            assertThatThrownBy(() -> journal.read(item))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("item 1 \"a\" of " + uuid(1))
                    .hasMessageContaining(Journals.file(1).toString());
            assertThatThrownBy(() -> journal.compact(KEY, List.of()))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("item 1 \"a\" of " + uuid(1));
            assertThat(disk.list(FOLDER)).containsExactly("0000000000000001");
            journal.commit(List.of(put(2, "b", 2, "goes on")));
            assertThat(journal.read(journal.find(item(2, "b")).orElseThrow())).isEqualTo("goes on".getBytes(UTF_8));
        }
    }

    @Test
    void anItemThatWasChangedSinceItWasFoundIsNotRead() throws Exception {
        try (Journal journal = newJournal(disk, put(1, "a", 1, "x"))) {
            Item item = journal.find(item(1, "a")).orElseThrow();
            journal.compact(KEY, List.of());
            assertThat(journal.read(item)).isEqualTo("x".getBytes(UTF_8));
            journal.commit(List.of(put(1, "a", 2, "y")));
            assertThatThrownBy(() -> journal.read(item)).hasMessageContaining("was changed since version 1");
            journal.commit(List.of(remove(1, "a", 2)));
            assertThatThrownBy(() -> journal.read(item)).hasMessageContaining("was changed since version 1");
        }
    }

    @Test
    void aClosedJournalRefusesEverythingThatNeedsItsFile() throws Exception {
        Journal journal = newJournal(disk, put(1, "a", 1, "x"));
        Item item = journal.find(item(1, "a")).orElseThrow();
        journal.close();
        journal.close();
        assertThatThrownBy(() -> journal.commit(List.of(put(1, "a", 2, "y")))).hasMessageContaining("is closed");
        assertThatThrownBy(() -> journal.commitAnchor(anchor("x"))).hasMessageContaining("is closed");
        assertThatThrownBy(() -> journal.compact(KEY, List.of())).hasMessageContaining("is closed");
        assertThatThrownBy(() -> journal.read(item)).hasMessageContaining("is closed");
    }

    /** The tree as it is documented, computed in another way. */
    @Test
    void theRootIsThatOfTheTree() throws Exception {
        List<Change> changes = new ArrayList<>();
        for (int owner = 0; owner < 300; owner++) {
            changes.add(put(owner, "b", 1, "b" + owner));
            changes.add(put(owner, "a", 1, "a" + owner));
        }
        Journal journal = newJournal(disk, changes.toArray(Change[]::new));
        journal.commit(List.of(put(5, "a", 2, "changed"), remove(6, "b", 1), removeAll(7)));
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        Map<Integer, Map<Long, byte[]>> buckets = new java.util.TreeMap<>();
        for (int owner = 0; owner < 300; owner++) {
            byte[] uuid = ByteBuffer.allocate(16).putLong(0x1234).putLong(owner).array();
            List<Item> items = journal.items(uuid(owner));
            if (items.isEmpty()) {
                continue;
            }
            ByteBuffer leaf = ByteBuffer.allocate(1000).put(uuid).putInt(items.size());
            for (Item item : items) {
                leaf.put((byte) 1).putShort((short) 1).put(item.key().name().getBytes(UTF_8));
                leaf.putLong(item.version()).put(sha256.digest(journal.read(item)));
            }
            int bucket = ByteBuffer.wrap(sha256.digest(uuid)).getInt() >>> 20;
            byte[] bytes = java.util.Arrays.copyOf(leaf.array(), leaf.position());
            buckets.computeIfAbsent(bucket, b -> new java.util.TreeMap<>()).put((long) owner, bytes);
        }
        List<byte[]> level = new ArrayList<>();
        for (int bucket = 0; bucket < 4096; bucket++) {
            buckets.getOrDefault(bucket, Map.of()).values().forEach(sha256::update);
            level.add(sha256.digest());
        }
        while (level.size() > 1) {
            List<byte[]> above = new ArrayList<>();
            for (int i = 0; i < level.size(); i += 2) {
                sha256.update(level.get(i));
                above.add(sha256.digest(level.get(i + 1)));
            }
            level = above;
        }
        assertThat(journal.root()).isEqualTo(level.get(0));
    }

    private static void assertRefused(Journal journal, Change change, String reason) throws Exception {
        Map<String, String> before = contents(journal);
        assertThatThrownBy(() -> journal.commit(List.of(change)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
        assertThat(contents(journal)).isEqualTo(before);
    }
}
