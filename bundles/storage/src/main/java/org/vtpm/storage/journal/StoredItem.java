package org.vtpm.storage.journal;

import java.nio.ByteBuffer;
import java.util.UUID;
import org.vtpm.crypto.Sha256;

/**
 * What is known in memory of an item: there may be a hundred thousand, so that its digest is no array of its own. One that
 * was removed keeps its version alone, its length being -1.
 */
final class StoredItem {
    private static final int REMOVED = -1;
    private static final int HEAD = 32;

    final int kind;
    final String name;
    final long version;
    /** Where in the file the content is. */
    final long offset;

    final int length;
    private final long digest0;
    private final long digest1;
    private final long digest2;
    private final long digest3;

    StoredItem(Entry.Put put, byte[] digest, long offset) {
        ByteBuffer bytes = ByteBuffer.wrap(digest);
        kind = put.kind();
        name = name(put.name());
        version = put.version();
        length = put.length();
        digest0 = bytes.getLong();
        digest1 = bytes.getLong();
        digest2 = bytes.getLong();
        digest3 = bytes.getLong();
        this.offset = offset;
    }

    /** One that was removed. */
    StoredItem(Entry.Remove remove) {
        kind = remove.kind();
        name = name(remove.name());
        version = remove.version();
        length = REMOVED;
        digest0 = 0;
        digest1 = 0;
        digest2 = 0;
        digest3 = 0;
        offset = 0;
    }

    boolean isRemoved() {
        return length == REMOVED;
    }

    byte[] digest() {
        return ByteBuffer.allocate(Sha256.LENGTH)
                .putLong(digest0)
                .putLong(digest1)
                .putLong(digest2)
                .putLong(digest3)
                .array();
    }

    /** What it takes of a file, about. */
    int bytes() {
        return HEAD + name.length() + Math.max(length, 0);
    }

    ItemKey key(UUID owner) {
        return new ItemKey(owner, kind, name);
    }

    Item item(UUID owner) {
        return new Item(key(owner), version, digest(), length);
    }

    private static String name(byte[] utf8) {
        // Most owners have items of the same few names.
        return new String(utf8, java.nio.charset.StandardCharsets.UTF_8).intern();
    }
}
