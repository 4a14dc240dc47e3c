package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Changes to owners that do not count yet. */
final class Staging {
    private final Function<UUID, @Nullable Owner> base;
    private final Map<UUID, Optional<Owner>> changed = new HashMap<>();

    /** Changes to what {@code base} tells. */
    Staging(Function<UUID, @Nullable Owner> base) {
        this.base = base;
    }

    @Nullable
    Owner get(UUID uuid) {
        Optional<Owner> owner = changed.get(uuid);
        return owner == null ? base.apply(uuid) : owner.orElse(null);
    }

    /**
     * Applies an entry.
     *
     * @param at where its content is in the file
     * @param checked whether versions must follow each other
     * @throws IllegalArgumentException if they do not; nothing is changed
     */
    void apply(BlockEntry bytes, long at, boolean checked) {
        Entry entry = bytes.entry();
        UUID uuid = entry.owner();
        if (entry instanceof Entry.Put put) {
            StoredItem item = new StoredItem(put, bytes.digest(), at);
            @Nullable Owner owner = get(uuid);
            if (checked) {
                checkSuccessor(item, owner, uuid);
            }
            changed.put(uuid, Optional.of((owner == null ? Owner.of(uuid) : owner).with(item)));
        } else if (entry instanceof Entry.Remove remove) {
            @Nullable Owner owner = get(uuid);
            @Nullable
            StoredItem item = owner == null ? null : owner.find(remove.kind(), new String(remove.name(), UTF_8));
            if (checked && (item == null || item.isRemoved() || item.version != remove.version())) {
                throw new IllegalArgumentException("item " + remove.kind() + " of " + uuid
                        + " is not there with version " + remove.version() + ", and so cannot be removed");
            }
            changed.put(uuid, Optional.of((owner == null ? Owner.of(uuid) : owner).with(new StoredItem(remove))));
        } else if (entry instanceof Entry.RemoveAll) {
            changed.put(uuid, Optional.empty());
        }
    }

    void forEach(BiConsumer<UUID, @Nullable Owner> action) {
        changed.forEach((uuid, owner) -> action.accept(uuid, owner.orElse(null)));
    }

    /** Adds what another, which is based on this, has changed. */
    void addAll(Staging other) {
        changed.putAll(other.changed);
    }

    private static void checkSuccessor(StoredItem item, @Nullable Owner owner, UUID uuid) {
        @Nullable StoredItem before = owner == null ? null : owner.find(item.kind, item.name);
        boolean follows;
        if (before == null) {
            follows = item.version == 1;
        } else if (before.isRemoved()) {
            follows = item.version > before.version;
        } else {
            follows = item.version == before.version + 1;
        }
        if (!follows) {
            throw new IllegalArgumentException(item.key(uuid) + " cannot get version " + item.version + ": "
                    + (before == null
                            ? "it was never there"
                            : "it " + (before.isRemoved() ? "was removed with" : "has") + " version "
                                    + before.version));
        }
    }
}
