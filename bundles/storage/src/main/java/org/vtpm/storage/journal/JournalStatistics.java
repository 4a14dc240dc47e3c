package org.vtpm.storage.journal;

/**
 * How a journal is, and what it has done since it was opened.
 *
 * @param owners number of owners with items
 * @param items number of items
 * @param liveBytes of the file that hold items
 * @param deadBytes of the file that hold what was replaced or removed, and what surrounds it
 * @param blocks written
 * @param commits that were made durable, several in one block; anchors among them
 * @param failures blocks that could not be made durable
 * @param compactions that were completed
 */
public record JournalStatistics(
        int owners,
        int items,
        long liveBytes,
        long deadBytes,
        long blocks,
        long commits,
        long failures,
        long compactions) {}
