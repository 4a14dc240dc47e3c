package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.UUID;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;

/** What a block holds, one after the other. */
sealed interface Entry {
    /**
     * An item's content follows.
     *
     * @param ownerHigh the more significant half of the owner's UUID
     * @param name UTF-8
     * @param length of the content
     */
    @Tag(value = 1, bytes = 1)
    record Put(
            long ownerHigh,
            long ownerLow,
            @U8 int kind,
            @Sized(prefix = 2) byte[] name,
            long version,
            int length) implements Entry {
        static Put of(ItemKey key, long version, int length) {
            UUID owner = key.owner();
            return new Put(
                    owner.getMostSignificantBits(),
                    owner.getLeastSignificantBits(),
                    key.kind(),
                    key.name().getBytes(UTF_8),
                    version,
                    length);
        }
    }

    /**
     * An item was removed.
     *
     * @param version that it had
     */
    @Tag(value = 2, bytes = 1)
    record Remove(
            long ownerHigh,
            long ownerLow,
            @U8 int kind,
            @Sized(prefix = 2) byte[] name,
            long version) implements Entry {
        static Remove of(ItemKey key, long version) {
            UUID owner = key.owner();
            return new Remove(
                    owner.getMostSignificantBits(),
                    owner.getLeastSignificantBits(),
                    key.kind(),
                    key.name().getBytes(UTF_8),
                    version);
        }
    }

    /** An owner was removed. */
    @Tag(value = 3, bytes = 1)
    record RemoveAll(long ownerHigh, long ownerLow) implements Entry {
        static RemoveAll of(UUID owner) {
            return new RemoveAll(owner.getMostSignificantBits(), owner.getLeastSignificantBits());
        }
    }

    /** What the file before held is here: from now on this file counts. */
    @Tag(value = 4, bytes = 1)
    record Whole() implements Entry {}

    /** Whose it is; the anchor's owner where it is nobody's. */
    default UUID owner() {
        if (this instanceof Put put) {
            return new UUID(put.ownerHigh, put.ownerLow);
        }
        if (this instanceof Remove remove) {
            return new UUID(remove.ownerHigh, remove.ownerLow);
        }
        if (this instanceof RemoveAll removeAll) {
            return new UUID(removeAll.ownerHigh, removeAll.ownerLow);
        }
        return ItemKey.ANCHOR.owner();
    }
}
