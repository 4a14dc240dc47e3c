package org.vtpm.storage.journal;

import java.util.concurrent.Executor;

/**
 * What can be chosen of a journal.
 *
 * @param compactAbove dead bytes, of contents that were replaced or removed, below which a file is never compacted
 * @param preallocate bytes of zeros that are written behind the last block when the space there runs out: a commit into
 *     them changes no metadata of the file, so that it becomes durable sooner; 0 for none
 * @param background runs compactions; one at a time, for seconds
 */
public record JournalSettings(long compactAbove, int preallocate, Executor background) {
    /** 16 MiB, 256 KiB, and a thread for each compaction. */
    public static final JournalSettings DEFAULT = new JournalSettings(16L << 20, 256 << 10, task -> {
        Thread thread = new Thread(task, "vtpm-storage-compaction");
        thread.setDaemon(true);
        thread.start();
    });
}
