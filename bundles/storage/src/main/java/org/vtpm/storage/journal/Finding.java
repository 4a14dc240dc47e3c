package org.vtpm.storage.journal;

import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Something that is wrong with a journal's file.
 *
 * @param offset in bytes, to the 512 bytes that it is in, or to the block
 * @param what is wrong, for people
 * @param owners whose items it concerns, as far as it can be told
 */
public record Finding(Kind kind, Path file, long offset, String what, Set<UUID> owners) {
    /** What kind of thing is wrong. */
    public enum Kind {
        /**
         * The file ends with a part of a block, as after a loss of power during a commit: no caller was told that it was
         * done. A file that was cut off looks the same.
         */
        TORN,
        /** Bytes are not those that were written. */
        DAMAGED,
        /** It is in itself whole, but not what this journal's key made in this place. */
        FORGED
    }

    public Finding {
        owners = Set.copyOf(owners);
    }

    @Override
    public String toString() {
        return file + ", byte " + offset + ": " + what
                + (owners.isEmpty() ? "" : ". It holds what belongs to " + join(new TreeSet<>(owners)));
    }

    private static String join(Set<UUID> owners) {
        return String.join(", ", owners.stream().limit(10).map(UUID::toString).toList())
                + (owners.size() > 10 ? " and " + (owners.size() - 10) + " others" : "");
    }
}
