package org.vtpm.storage.journal;

import java.nio.file.Path;
import java.util.List;

/**
 * What was found in a journal's folder.
 *
 * @param files in order; the last one is the current one
 * @param findings what is wrong, file by file; empty if nothing is
 */
public record JournalReport(List<FileReport> files, List<Finding> findings) {
    /**
     * What was found in a file.
     *
     * @param blocks that it holds
     * @param owners number of owners with items
     * @param items number of items
     * @param liveBytes of the file that hold items
     * @param deadBytes of the file that hold what was replaced or removed, and what surrounds it
     */
    public record FileReport(Path file, long blocks, int owners, int items, long liveBytes, long deadBytes) {}

    /** Whether the current file can be opened: it is there, and the worst that it has is a torn end. */
    public boolean isUsable() {
        return !files.isEmpty()
                && findings.stream()
                        .allMatch(finding -> finding.kind() == Finding.Kind.TORN
                                || !finding.file()
                                        .equals(files.get(files.size() - 1).file()));
    }
}
