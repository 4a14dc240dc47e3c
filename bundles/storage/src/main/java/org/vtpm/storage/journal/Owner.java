package org.vtpm.storage.journal;

import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The items of an owner, and the last versions of those that were removed. Immutable. */
final class Owner {
    private static final StoredItem[] NONE = {};

    final UUID uuid;
    private final StoredItem[] items;

    private Owner(UUID uuid, StoredItem[] items) {
        this.uuid = uuid;
        this.items = items;
    }

    static Owner of(UUID uuid) {
        return new Owner(uuid, NONE);
    }

    /** Those that are there and those that were removed, by kind and name. */
    List<StoredItem> all() {
        return List.of(items);
    }

    Stream<StoredItem> items() {
        return Arrays.stream(items).filter(item -> !item.isRemoved());
    }

    /** An item, be it one that was removed. */
    @Nullable
    StoredItem find(int kind, String name) {
        int at = search(kind, name);
        return at < 0 ? null : items[at];
    }

    Owner with(StoredItem item) {
        int at = search(item.kind, item.name);
        StoredItem[] changed;
        if (at >= 0) {
            changed = items.clone();
        } else {
            at = -at - 1;
            changed = new StoredItem[items.length + 1];
            System.arraycopy(items, 0, changed, 0, at);
            System.arraycopy(items, at, changed, at + 1, items.length - at);
        }
        changed[at] = item;
        return new Owner(uuid, changed);
    }

    private int search(int kind, String name) {
        int low = 0;
        int high = items.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            StoredItem item = items[middle];
            int order = item.kind != kind ? Integer.compare(item.kind, kind) : item.name.compareTo(name);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -low - 1;
    }
}
