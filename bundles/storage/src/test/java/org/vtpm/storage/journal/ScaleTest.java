package org.vtpm.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.storage.journal.Journals.KEY;
import static org.vtpm.storage.journal.Journals.uuid;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.storage.disk.PosixDisk;

/** Ten thousand owners with six items each; says what they cost. */
class ScaleTest {
    private static final int OWNERS = 10_000;

    @TempDir
    Path folder;

    @Test
    void tenThousandOwnersAreCheap() throws Exception {
        PosixDisk disk = new PosixDisk();
        Path journals = folder.resolve("journal");
        try (Journal journal = Journal.create(disk, journals, KEY, List.of(), JournalSettings.DEFAULT)) {
            Random random = new Random(1);
            for (int owner = 0; owner < OWNERS; owner++) {
                List<Change> changes = new ArrayList<>();
                for (int kind = 0; kind < 6; kind++) {
                    byte[] content = new byte[kind == 0 ? 4096 : 200];
                    random.nextBytes(content);
                    changes.add(new Change.Put(new ItemKey(uuid(owner), kind, "name"), 1, content));
                }
                journal.commit(changes);
            }
        }
        long before = used();
        long start = System.nanoTime();
        Journal journal = Journal.open(disk, journals, KEY, JournalSettings.DEFAULT);
        long opened = System.nanoTime();
        byte[] root = journal.root();
        long rooted = System.nanoTime();
        long bytes = (used() - before) / OWNERS;
        journal.compact(KEY, List.of());
        long compacted = System.nanoTime();
        System.out.printf(
                "%d owners, 6 items each, %d MiB: open %d ms, root %d ms, compact %d ms, %d bytes of heap per owner%n",
                OWNERS,
                journal.statistics().liveBytes() >> 20,
                (opened - start) / 1_000_000,
                (rooted - opened) / 1_000_000,
                (compacted - rooted) / 1_000_000,
                bytes);
        assertThat(journal.statistics().items()).isEqualTo(6 * OWNERS);
        assertThat(journal.root()).isEqualTo(root);
        // What two hundred thousand items would need must still be small change.
        assertThat(bytes).isLessThan(1500);
        journal.close();
    }

    private static long used() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50);
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
