package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.UUID;

/**
 * What an item is found by.
 *
 * @param owner whose it is: an instance, or whatever the caller gives a UUID
 * @param kind 0 to 255; what it means is the caller's, but for {@link #ANCHOR_KIND}
 * @param name tells items of one kind apart; at most 65535 bytes of UTF-8
 */
public record ItemKey(UUID owner, int kind, String name) {
    /** The kind of the anchor. The tree does not cover it, since its content begins with the tree's root. */
    public static final int ANCHOR_KIND = 255;

    /** The anchor: see {@link Journal#commitAnchor}. There is at most one in a journal. */
    public static final ItemKey ANCHOR = new ItemKey(new UUID(-1, -1), ANCHOR_KIND, "");

    public ItemKey {
        if (kind < 0 || kind > 255) {
            throw new IllegalArgumentException("kind " + kind + " is not one byte");
        }
        if (name.getBytes(UTF_8).length > 0xFFFF) {
            throw new IllegalArgumentException("a name of " + name.length() + " characters is too long");
        }
    }

    @Override
    public String toString() {
        return "item " + kind + (name.isEmpty() ? "" : " \"" + name + "\"") + " of " + owner;
    }
}
