package org.vtpm.api.storage;

import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.vtpm.api.storage.StorageAdministration.ReplayPolicy;

/**
 * How an open storage is.
 *
 * @param folder where it lies
 * @param instances number of instances
 * @param liveBytes length of what counts, in bytes
 * @param deadBytes length of what was replaced or removed and is not compacted away yet, in bytes
 * @param commits number of changes since the storage was opened
 * @param wrappingGeneration number of the key that wraps data keys now
 * @param replayPolicy what becomes of old state
 * @param anchorRoot name of the root of trust whose counter anchors the storage; empty if none does
 * @param anchor value of the counter that the storage was anchored to last, if it is
 * @param unanchored number of changes since then
 * @param refused instances that stay closed because their state is old, or cannot be held against the counter
 * @param problem what keeps the storage from being anchored; empty if nothing does
 */
public record StorageStatus(
        String folder,
        int instances,
        long liveBytes,
        long deadBytes,
        long commits,
        long wrappingGeneration,
        ReplayPolicy replayPolicy,
        String anchorRoot,
        OptionalLong anchor,
        long unanchored,
        List<UUID> refused,
        String problem) {
    /** Copies what it gets. */
    public StorageStatus {
        refused = List.copyOf(refused);
    }
}
