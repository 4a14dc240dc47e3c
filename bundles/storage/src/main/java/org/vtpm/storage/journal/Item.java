package org.vtpm.storage.journal;

/**
 * An item as it was when it was asked for.
 *
 * @param version 1 at first, one more with each change
 * @param digest SHA-256 of the content, 32 bytes
 * @param length of the content in bytes
 */
public record Item(ItemKey key, long version, byte[] digest, int length) {}
