package org.vtpm.storage.journal;

import java.util.UUID;

/** A change to one owner's items. */
public sealed interface Change {
    /** Longest content in bytes: far above any state, and such that a block is always one array. */
    int CONTENT_LIMIT = 1 << 27;

    /**
     * Sets an item's content.
     *
     * @param version 1 for an item that its owner never had; one more than {@link Journal#find} tells for one that is there;
     *     any that is greater than {@link Journal#lastVersion} for one that was removed
     * @param content not copied: it must not change until the commit returns
     */
    record Put(ItemKey key, long version, byte[] content) implements Change {
        public Put {
            if (key.kind() == ItemKey.ANCHOR_KIND) {
                throw new IllegalArgumentException("only commitAnchor sets the anchor");
            }
            if (version < 1) {
                throw new IllegalArgumentException(key + " cannot have version " + version);
            }
            if (content.length > CONTENT_LIMIT) {
                throw new IllegalArgumentException(key + " cannot have " + content.length + " bytes");
            }
        }
    }

    /**
     * Removes an item. Its last version is kept as long as its owner has not been removed.
     *
     * @param version that it has
     */
    record Remove(ItemKey key, long version) implements Change {
        public Remove {
            if (key.kind() == ItemKey.ANCHOR_KIND) {
                throw new IllegalArgumentException("the anchor stays");
            }
        }
    }

    /** Removes an owner with all items and all last versions; one that is not there is removed without effect. */
    record RemoveAll(UUID owner) implements Change {}
}
