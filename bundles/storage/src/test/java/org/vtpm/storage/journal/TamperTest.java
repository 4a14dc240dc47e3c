package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.anchor;
import static org.vtpm.storage.journal.Journals.contents;
import static org.vtpm.storage.journal.Journals.key;
import static org.vtpm.storage.journal.Journals.put;
import static org.vtpm.storage.journal.Journals.settings;
import static org.vtpm.storage.journal.Journals.uuid;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.crypto.Sha256;
import org.vtpm.storage.disk.SimulatedDisk;

/** Files are damaged, cut, mixed and forged: the journal stays closed and says why, and nothing on disk changes. */
class TamperTest {
    private SimulatedDisk disk;
    private Path folder;
    private Path file;
    private byte[] good;
    private Map<String, String> expected;

    @BeforeEach
    void fill() throws Exception {
        disk = new SimulatedDisk();
        folder = Path.of("/journal");
        expected = fill(folder, "");
        file = folder.resolve("0000000000000002");
        good = disk.read(file, Integer.MAX_VALUE);
    }

    /** Two generations; the second has blocks of several sectors, one with zeros, an anchor, and room behind them. */
    private Map<String, String> fill(Path to, String text) throws IOException {
        try (Journal journal = Journal.create(disk, to, KEY, List.of(put(1, "a", 1, "x")), settings(2048))) {
            journal.commit(List.of(put(2, "b", 1, "old" + text)));
            journal.compact(KEY, List.of());
            journal.commit(List.of(put(1, "a", 2, "x".repeat(600)), put(3, "c", 1, "y".repeat(600))));
            journal.commit(List.of(put(2, "b", 2, "zeros" + "\0".repeat(1100) + text)));
            journal.commitAnchor(anchor("1" + text));
            journal.commit(List.of(put(4, "d", 1, "last" + text)));
            return contents(journal);
        }
    }

    @Test
    void everyByteCounts() throws Exception {
        List<Long> blocks = blocks();
        long end = end();
        assertThat(good.length).isGreaterThan((int) end + 512);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << i % 8);
            replace(file, bad);
            if (i >= end + 512) {
                // Behind the end: it looks like the rest of a block whose start was never written. Nothing is lost.
                assertTorn("byte " + i);
                continue;
            }
            JournalException thrown = assertStaysClosed("byte " + i);
            Finding finding = thrown.findings().get(0);
            assertThat(finding.kind()).as("byte " + i).isEqualTo(Finding.Kind.DAMAGED);
            assertThat(finding.file()).isEqualTo(file);
            // The sector's start, or the block's, or that of the sums at the block's end.
            assertThat(finding.offset()).as("byte " + i).isBetween(i - 511L - 64, (long) i);
            assertThat(thrown).hasMessageContaining(file + ", byte " + finding.offset());
            int block = block(blocks, i);
            // The block that says that the file is whole is nobody's, and of a first entry's head nothing may be left.
            if (block > 0 && block != 2 && i >= blocks.get(block) + 60 && i < end) {
                assertThat(finding.owners()).as("byte " + i).isNotEmpty();
            }
        }
    }

    @Test
    void whatADamagedByteBelongsToIsNamed() throws Exception {
        for (Object[] place : new Object[][] {{"yyyyyyy", 3}, {"last", 4}, {"zeros", 2}}) {
            int at = indexOf(good, ((String) place[0]).getBytes(UTF_8));
            byte[] bad = good.clone();
            bad[at] ^= 1;
            replace(file, bad);
            assertThat(assertStaysClosed((String) place[0]))
                    .hasMessageContaining(uuid((Integer) place[1]).toString());
        }
        // Far into a large content, nothing else is concerned.
        byte[] bad = good.clone();
        bad[indexOf(good, "y".repeat(600).getBytes(UTF_8)) + 590] ^= 1;
        replace(file, bad);
        assertThat(assertStaysClosed("y").findings().get(0).owners()).containsExactly(uuid(3));
    }

    @Test
    void theFileIsCutAtEveryLength() throws Exception {
        List<Long> blocks = blocks();
        long end = end();
        for (int length = 0; length < good.length; length++) {
            replace(file, Arrays.copyOf(good, length));
            if (length < blocks.get(3)) {
                assertStaysClosed("length " + length);
                continue;
            }
            boolean atEnd = length >= end || blocks.contains((long) length);
            byte[] before = disk.read(file, Integer.MAX_VALUE);
            try (Journal journal = Journal.open(disk, folder, KEY, settings(0))) {
                assertThat(journal.tornEnd().isEmpty()).as("length " + length).isEqualTo(atEnd);
                assertThat(contents(journal).equals(expected)).isEqualTo(length >= end);
                assertThat(disk.read(file, Integer.MAX_VALUE)).isEqualTo(before);
                long version = journal.lastVersion(Journals.item(1, "a")) + 1;
                journal.commit(List.of(put(1, "a", version, "goes on")));
            }
            try (Journal journal = Journal.open(disk, folder, KEY, settings(0))) {
                assertThat(journal.tornEnd()).isEmpty();
                assertThat(contents(journal).get("1 a")).endsWith("goes on");
            }
        }
    }

    @Test
    void sectorsOfTheLastBlockAreZero() throws Exception {
        try (Journal journal = Journal.open(disk, folder, KEY, settings(4096))) {
            journal.commit(List.of(put(1, "a", 3, "z".repeat(1700))));
        }
        good = disk.read(file, Integer.MAX_VALUE);
        List<Long> blocks = blocks();
        int start = blocks.get(blocks.size() - 1).intValue();
        int sectors = (int) (end() - start) / 512;
        for (int mask = 1; mask < 1 << sectors; mask++) {
            byte[] torn = good.clone();
            for (int sector = 0; sector < sectors; sector++) {
                if ((mask >> sector & 1) != 0) {
                    Arrays.fill(torn, start + 512 * sector, start + 512 * sector + 512, (byte) 0);
                }
            }
            replace(file, torn);
            Optional<Finding> finding = assertTorn("mask " + mask);
            assertThat(finding.isPresent()).isEqualTo(mask != (1 << sectors) - 1);
        }
        // In any other block zeros are damage.
        for (int sector = 0; sector < start; sector += 512) {
            byte[] bad = good.clone();
            Arrays.fill(bad, sector, sector + 512, (byte) 0);
            if (!Arrays.equals(bad, good)) {
                replace(file, bad);
                assertStaysClosed("sector at " + sector);
            }
        }
    }

    @Test
    void blocksAreMoved() throws Exception {
        List<byte[]> blocks = split(good);
        int count = blocks.size();
        for (int i = 1; i < count; i++) {
            List<byte[]> dropped = new ArrayList<>(blocks);
            dropped.remove(i);
            if (i < count - 1) {
                assertRefused(dropped, "block " + i + " is left out");
            }
            List<byte[]> doubled = new ArrayList<>(blocks);
            doubled.add(i, blocks.get(i));
            assertRefused(doubled, "block " + i + " is there twice");
            for (int j = i + 1; j < count; j++) {
                List<byte[]> swapped = new ArrayList<>(blocks);
                Collections.swap(swapped, i, j);
                assertRefused(swapped, "blocks " + i + " and " + j + " are swapped");
            }
        }
    }

    @Test
    void blocksComeFromElsewhere() throws Exception {
        Path other = Path.of("/other");
        fill(other, "!");
        List<List<byte[]>> sources = List.of(
                split(disk.read(folder.resolve("0000000000000001"), Integer.MAX_VALUE)),
                split(disk.read(other.resolve("0000000000000002"), Integer.MAX_VALUE)),
                split(disk.read(other.resolve("0000000000000001"), Integer.MAX_VALUE)));
        List<byte[]> blocks = split(good);
        for (List<byte[]> source : sources) {
            for (int i = 1; i < blocks.size(); i++) {
                for (int j = 0; j < source.size(); j++) {
                    if (!Arrays.equals(blocks.get(i), source.get(j))) {
                        List<byte[]> mixed = new ArrayList<>(blocks);
                        mixed.set(i, source.get(j));
                        assertRefused(mixed, "block " + j + " in place of " + i);
                    }
                }
            }
        }
    }

    @Test
    void filesAreSwapped() throws Exception {
        byte[] first = disk.read(folder.resolve("0000000000000001"), Integer.MAX_VALUE);
        replace(file, first);
        assertThat(assertStaysClosed("the generation before")).hasMessageContaining("file of number 1");
        Path third = Path.of("/third");
        Journal.create(disk, third, key(3), List.of(), settings(0)).close();
        disk.remove(file);
        file = folder.resolve("0000000000000001");
        replace(file, disk.read(third.resolve("0000000000000001"), Integer.MAX_VALUE));
        assertThat(assertStaysClosed("another host's")).hasMessageContaining("made under another host key");
    }

    /** Whoever mends the check sums is still found without the key. */
    @Test
    void contentsAreForged() throws Exception {
        List<byte[]> blocks = split(good);
        for (int i = 1; i < blocks.size(); i++) {
            Block.Header header = Block.header(blocks.get(i)).orElseThrow();
            List<BlockEntry> entries = new ArrayList<>(BlockEntry.readAll(Block.body(header, blocks.get(i))));
            for (int entry = 0; entry < entries.size(); entry++) {
                BlockEntry old = entries.get(entry);
                if (old.content().length == 0) {
                    continue;
                }
                byte[] content = old.content().clone();
                content[content.length - 1] ^= 1;
                List<BlockEntry> forged = new ArrayList<>(entries);
                forged.set(entry, new BlockEntry(old.entry(), old.head(), content, Sha256.of(content)));
                List<byte[]> all = new ArrayList<>(blocks);
                all.set(i, Block.encode(header, forged, Block.tag(blocks.get(i))));
                assertThat(assertRefused(all, "block " + i))
                        .hasMessageContaining("authentication fails")
                        .hasMessageContaining(old.entry().owner().toString());
            }
        }
    }

    /** With the key, an anchor of other items could be written, and a version left out; they are found all the same. */
    @Test
    void whatDoesNotFollowIsRefused() throws Exception {
        List<byte[]> blocks = split(good);
        byte[] last = blocks.get(blocks.size() - 1);
        long sequence = Block.header(last).orElseThrow().sequence() + 1;
        for (BlockEntry entry : List.of(
                BlockEntry.put(ItemKey.ANCHOR, 2, new byte[40]),
                BlockEntry.put(Journals.item(1, "a"), 7, new byte[3]),
                BlockEntry.of(Entry.Remove.of(Journals.item(1, "a"), 9)))) {
            Block.Header header = Block.Header.of(sequence, entry.length());
            byte[] tag = Block.tag(KEY.chainKey(), Block.tag(last), header, List.of(entry));
            List<byte[]> all = new ArrayList<>(blocks);
            all.add(Block.encode(header, List.of(entry), tag));
            assertThat(assertRefused(all, entry.toString())).hasMessageContaining("does not follow");
        }
    }

    @Test
    void randomBytesAreNoJournal() throws Exception {
        Random random = new Random(1);
        for (int round = 0; round < 300; round++) {
            byte[] bytes = new byte[random.nextInt(3000)];
            random.nextBytes(bytes);
            int kept = random.nextInt(3) * 512;
            System.arraycopy(good, 0, bytes, 0, Math.min(kept, bytes.length));
            replace(file, bytes);
            if (bytes.length != 1024 || kept != 1024) {
                assertStaysClosed("round " + round);
            }
        }
    }

    @Test
    void allDamageIsReportedAtOnce() throws Exception {
        List<Long> blocks = blocks();
        byte[] bad = good.clone();
        bad[blocks.get(3).intValue() + 100] ^= 1;
        bad[blocks.get(4).intValue() + 100] ^= 1;
        replace(file, bad);
        assertThat(assertStaysClosed("two blocks").findings())
                .extracting(Finding::offset)
                .containsExactly(blocks.get(3), blocks.get(4));
        JournalReport report = JournalVerifier.verify(disk, folder);
        assertThat(report.findings()).hasSize(2);
        assertThat(report.isUsable()).isFalse();
        assertThat(report.files()).hasSize(2);
    }

    private JournalException assertRefused(List<byte[]> blocks, String how) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        blocks.forEach(all::writeBytes);
        replace(file, all.toByteArray());
        return assertStaysClosed(how);
    }

    private JournalException assertStaysClosed(String how) throws IOException {
        byte[] before = disk.read(file, Integer.MAX_VALUE);
        JournalException closed =
                catchThrowableOfType(JournalException.class, () -> Journal.open(disk, folder, KEY, settings(0)));
        assertThat(closed).as(how).isNotNull().hasMessageContaining(file.toString());
        assertThat(disk.read(file, Integer.MAX_VALUE)).as(how).isEqualTo(before);
        return closed;
    }

    /** The last block or what looks like one is cut off, and all else is there. */
    private Optional<Finding> assertTorn(String how) throws IOException {
        byte[] before = disk.read(file, Integer.MAX_VALUE);
        try (Journal journal = Journal.open(disk, folder, KEY, settings(0))) {
            assertThat(contents(journal)).as(how).isEqualTo(expected);
            assertThat(disk.read(file, Integer.MAX_VALUE)).as(how).isEqualTo(before);
            return journal.tornEnd();
        }
    }

    private void replace(Path path, byte[] content) throws IOException {
        disk.remove(path);
        disk.write(path, content);
    }

    /** Where the header and the blocks begin. */
    private List<Long> blocks() {
        List<Long> starts = new ArrayList<>();
        long at = 0;
        for (byte[] block : split(good)) {
            starts.add(at);
            at += block.length;
        }
        return starts;
    }

    private long end() {
        return split(good).stream().mapToLong(block -> block.length).sum();
    }

    private static int block(List<Long> starts, int at) {
        int block = 0;
        while (block + 1 < starts.size() && starts.get(block + 1) <= at) {
            block++;
        }
        return block;
    }

    /** The header and the blocks of a file. */
    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> blocks = new ArrayList<>();
        blocks.add(Arrays.copyOf(bytes, 512));
        int at = 512;
        while (at + 20 < bytes.length && ByteBuffer.wrap(bytes).getInt(at) != 0) {
            int length = Block.header(Arrays.copyOfRange(bytes, at, at + 512))
                    .orElseThrow()
                    .blockLength();
            blocks.add(Arrays.copyOfRange(bytes, at, at + length));
            at += length;
        }
        return blocks;
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int i = 0; i <= bytes.length - part.length; i++) {
            if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        throw new AssertionError("not there: " + new String(part, UTF_8));
    }
}
