package org.vtpm.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.anchor;
import static org.vtpm.storage.journal.Journals.put;
import static org.vtpm.storage.journal.Journals.settings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.storage.disk.PosixDisk;

class VerifierTest {
    @TempDir
    Path temporary;

    private PosixDisk disk;
    private Path folder;

    @BeforeEach
    void fill() throws Exception {
        disk = new PosixDisk();
        folder = temporary.resolve("journal");
        try (Journal journal = Journal.create(disk, folder, KEY, List.of(put(1, "a", 1, "x")), settings(4096))) {
            journal.commit(List.of(put(1, "a", 2, "y".repeat(900)), put(2, "a", 1, "z")));
            journal.compact(KEY, List.of());
            journal.commitAnchor(anchor("1"));
        }
    }

    @Test
    void whatIsWholeIsReportedAsSuch() throws Exception {
        JournalReport report = JournalVerifier.verify(disk, folder);
        assertThat(report.findings()).isEmpty();
        assertThat(report.isUsable()).isTrue();
        assertThat(report.files()).hasSize(2);
        JournalReport.FileReport current = report.files().get(1);
        assertThat(current.file()).isEqualTo(folder.resolve("0000000000000002"));
        assertThat(current.owners()).isEqualTo(2);
        assertThat(current.items()).isEqualTo(2);
        assertThat(current.liveBytes()).isBetween(900L, 1200L);
        assertThat(current.deadBytes()).isBetween(1L, 4096L);
        assertThatThrownBy(() -> JournalVerifier.verify(disk, temporary.resolve("nothing")))
                .hasMessageContaining("there is no journal");
    }

    @Test
    void aTornEndIsReportedAndUsable() throws Exception {
        Path file = folder.resolve("0000000000000002");
        byte[] good = Files.readAllBytes(file);
        int end = good.length;
        while (good[end - 1] == 0) {
            end--;
        }
        Files.write(file, Arrays.copyOf(good, end - 1));
        JournalReport report = JournalVerifier.verify(disk, folder);
        assertThat(report.findings()).extracting(Finding::kind).containsExactly(Finding.Kind.TORN);
        assertThat(report.isUsable()).isTrue();
    }

    @Test
    void anAnchorOfOtherItemsIsFoundWithoutTheKey() throws Exception {
        Path file = folder.resolve("0000000000000002");
        byte[] good = Files.readAllBytes(file);
        // Whoever left out a block and mended the check sums cannot make the anchor fit.
        int at = 512;
        Block.Header header = null;
        byte[] block = {};
        while (good[at] != 0) {
            header = Block.header(Arrays.copyOfRange(good, at, at + 512)).orElseThrow();
            block = Arrays.copyOfRange(good, at, at + header.blockLength());
            at += header.blockLength();
        }
        BlockEntry entry = BlockEntry.put(ItemKey.ANCHOR, 1, new byte[33]);
        byte[] forged =
                Block.encode(Block.Header.of(header.sequence(), entry.length()), List.of(entry), Block.tag(block));
        byte[] bad = good.clone();
        System.arraycopy(forged, 0, bad, at - block.length, forged.length);
        Files.write(file, bad);
        assertThat(JournalVerifier.verify(disk, folder).findings())
                .extracting(Finding::what)
                .singleElement()
                .asString()
                .contains("the anchor tells of other items");
    }

    @Test
    void aJournalThatIsBeingWrittenIsNotFoundDamaged() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (Journal journal = Journal.open(disk, folder, KEY, settings(64 << 10))) {
            Future<?> writer = threads.submit(() -> {
                for (int version = 3; version < 1000; version++) {
                    journal.commit(List.of(put(1, "a", version, "x".repeat(version))));
                    if (version % 200 == 0) {
                        journal.compact(KEY, List.of());
                    }
                }
                return null;
            });
            int rounds = 0;
            while (!writer.isDone()) {
                assertThat(JournalVerifier.verify(disk, folder).findings()).isEmpty();
                rounds++;
            }
            writer.get(60, TimeUnit.SECONDS);
            assertThat(rounds).isPositive();
        } finally {
            threads.shutdown();
        }
    }
}
