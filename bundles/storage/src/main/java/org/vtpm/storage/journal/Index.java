package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.crypto.Sha256;

/**
 * All owners, in {@value #BUCKETS} buckets by the first twelve bits of their UUID's SHA-256, and a hash tree over the
 * buckets. Not thread-safe.
 */
final class Index {
    static final int BUCKETS = 4096;
    private static final int SHIFT = 4;
    private static final Owner[] EMPTY = {};

    private final Owner[][] buckets = nobody();
    // A binary tree: node 1 is the root, those below node n are 2n and 2n + 1, and the buckets come last.
    private final byte[] nodes = new byte[2 * BUCKETS * Sha256.LENGTH];
    private final BitSet stale = new BitSet(2 * BUCKETS);
    private int owners;
    private int items;
    private long bytes;

    Index() {
        Sha256 sha256 = new Sha256();
        byte[] hash = hash(sha256, EMPTY);
        for (int level = BUCKETS; level > 0; level /= 2) {
            for (int node = level; node < 2 * level; node++) {
                System.arraycopy(hash, 0, nodes, node * Sha256.LENGTH, Sha256.LENGTH);
            }
            hash = sha256.update(hash).update(hash).digest();
        }
    }

    /** The snapshot of an index without owners. */
    static Owner[][] nobody() {
        Owner[][] buckets = new Owner[BUCKETS][];
        Arrays.fill(buckets, EMPTY);
        return buckets;
    }

    /** Number of owners with items but for the anchor. */
    int owners() {
        return owners;
    }

    /** Number of items but for the anchor. */
    int items() {
        return items;
    }

    /** What all items take of a file, about. */
    long bytes() {
        return bytes;
    }

    @Nullable
    Owner get(UUID uuid) {
        for (Owner owner : buckets[bucket(uuid)]) {
            if (owner.uuid.equals(uuid)) {
                return owner;
            }
        }
        return null;
    }

    /** Sets what an owner has; null removes it. */
    void set(UUID uuid, @Nullable Owner changed) {
        int bucket = bucket(uuid);
        Owner[] old = buckets[bucket];
        List<Owner> now = new ArrayList<>(old.length + 1);
        for (Owner owner : old) {
            if (owner.uuid.equals(uuid)) {
                count(owner, -1);
            } else {
                now.add(owner);
            }
        }
        if (changed != null) {
            count(changed, 1);
            now.add(changed);
        }
        now.sort((a, b) -> compare(a.uuid, b.uuid));
        // Not changed in place: a snapshot may share it.
        buckets[bucket] = now.toArray(Owner[]::new);
        for (int node = BUCKETS + bucket; node > 0 && !stale.get(node); node /= 2) {
            stale.set(node);
        }
    }

    /** The owners as they are now, by bucket; it does not change. */
    Owner[][] snapshot() {
        return buckets.clone();
    }

    /** The root of the tree over all items but the anchor, 32 bytes. */
    byte[] root() {
        Sha256 sha256 = new Sha256();
        for (int node = stale.length() - 1; node > 0; node = stale.previousSetBit(node - 1)) {
            byte[] hash = node >= BUCKETS ? hash(sha256, buckets[node - BUCKETS]) : hashOfTwo(sha256, node);
            System.arraycopy(hash, 0, nodes, node * Sha256.LENGTH, Sha256.LENGTH);
        }
        stale.clear();
        return Arrays.copyOfRange(nodes, Sha256.LENGTH, 2 * Sha256.LENGTH);
    }

    private byte[] hashOfTwo(Sha256 sha256, int node) {
        sha256.update(nodes, 2 * node * Sha256.LENGTH, 2 * Sha256.LENGTH);
        return sha256.digest();
    }

    /** A bucket's hash: of each owner in order the UUID, the number of items, and each item's kind, name, version, digest. */
    private static byte[] hash(Sha256 sha256, Owner[] bucket) {
        for (Owner owner : bucket) {
            List<StoredItem> covered = owner.items()
                    .filter(item -> item.kind != ItemKey.ANCHOR_KIND)
                    .toList();
            if (covered.isEmpty()) {
                continue;
            }
            sha256.update(ByteBuffer.allocate(20)
                    .putLong(owner.uuid.getMostSignificantBits())
                    .putLong(owner.uuid.getLeastSignificantBits())
                    .putInt(covered.size())
                    .array());
            for (StoredItem item : covered) {
                byte[] name = item.name.getBytes(UTF_8);
                sha256.update(ByteBuffer.allocate(3 + name.length + 8)
                        .put((byte) item.kind)
                        .putShort((short) name.length)
                        .put(name)
                        .putLong(item.version)
                        .array());
                sha256.update(item.digest());
            }
        }
        return sha256.digest();
    }

    private void count(Owner owner, int sign) {
        boolean counted = false;
        for (StoredItem item : owner.all()) {
            bytes += sign * (long) item.bytes();
            if (!item.isRemoved() && item.kind != ItemKey.ANCHOR_KIND) {
                items += sign;
                counted = true;
            }
        }
        owners += counted ? sign : 0;
    }

    /** By their bytes. */
    private static int compare(UUID a, UUID b) {
        int order = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        return order != 0 ? order : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
    }

    private static int bucket(UUID uuid) {
        byte[] digest = Sha256.of(ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array());
        return ((digest[0] & 0xFF) << SHIFT) | ((digest[1] & 0xFF) >>> SHIFT);
    }
}
