package org.vtpm.storage.journal;

import java.util.ArrayList;
import java.util.List;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Sha256;

/**
 * An entry as it stands in a block.
 *
 * @param head its encoding, which an item's content follows
 * @param content empty but for a put
 * @param digest SHA-256 of the content; empty but for a put
 */
record BlockEntry(Entry entry, byte[] head, byte[] content, byte[] digest) {
    private static final Codec<Entry> CODEC = Codec.of(Entry.class);
    private static final byte[] NOTHING = {};

    static BlockEntry of(Change change) {
        if (change instanceof Change.Put put) {
            return put(put.key(), put.version(), put.content());
        }
        if (change instanceof Change.Remove remove) {
            return of(Entry.Remove.of(remove.key(), remove.version()));
        }
        return of(Entry.RemoveAll.of(((Change.RemoveAll) change).owner()));
    }

    static BlockEntry put(ItemKey key, long version, byte[] content) {
        Entry entry = Entry.Put.of(key, version, content.length);
        return new BlockEntry(entry, CODEC.encode(entry), content, Sha256.of(content));
    }

    static BlockEntry of(Entry entry) {
        return new BlockEntry(entry, CODEC.encode(entry), NOTHING, NOTHING);
    }

    /** Reads one entry. */
    static BlockEntry read(ByteReader in) throws CodecException {
        Entry entry = CODEC.read(in);
        byte[] head = CODEC.encode(entry);
        if (!(entry instanceof Entry.Put put)) {
            return new BlockEntry(entry, head, NOTHING, NOTHING);
        }
        byte[] content = in.bytes(put.length());
        return new BlockEntry(entry, head, content, Sha256.of(content));
    }

    /** Reads all entries of a body. */
    static List<BlockEntry> readAll(ByteReader in) throws CodecException {
        List<BlockEntry> entries = new ArrayList<>();
        while (in.remaining() > 0) {
            entries.add(read(in));
        }
        return entries;
    }

    int length() {
        return head.length + content.length;
    }
}
