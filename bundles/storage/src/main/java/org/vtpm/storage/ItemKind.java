package org.vtpm.storage;

import java.util.UUID;
import org.vtpm.api.engine.StateKind;
import org.vtpm.storage.journal.ItemKey;

/** What the items in the journal are. The codes stay what they are when a constant is renamed or moved. */
enum ItemKind {
    /** The {@link org.vtpm.storage.key.KeyRing}, sealed under the host's secret. */
    KEY_RING(1),
    /** An instance's data key, wrapped under a generation in the key ring. */
    DATA_KEY(2),
    /** An instance's record, in clear. */
    RECORD(3),
    /** An instance's permanent state, sealed under its data key. */
    PERMANENT(4),
    /** What TPM_SaveState left, sealed likewise. */
    SAVED(5),
    /** The snapshot of a suspended instance, sealed likewise. */
    VOLATILE(6),
    /** State that the operator put by under a name, sealed likewise. */
    SNAPSHOT(7),
    /** Says that an instance's state was found to be older than the counter, and by how much. */
    REPLAYED(8),
    /** Says that the owner is no instance, but a TPM elsewhere: its permanent state here is the key to its own. */
    FOREIGN(9);

    /** The owner of what belongs to no instance. */
    static final UUID HOST = new UUID(0, 0);

    private final int code;

    ItemKind(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /** The host's only item of this kind. */
    ItemKey ofHost() {
        return new ItemKey(HOST, code, "");
    }

    /** An instance's only item of this kind. */
    ItemKey of(UUID instance) {
        return new ItemKey(instance, code, "");
    }

    /** An instance's item of this kind and a name. */
    ItemKey of(UUID instance, String name) {
        return new ItemKey(instance, code, name);
    }

    static ItemKind of(StateKind kind) {
        return switch (kind) {
            case PERMANENT -> PERMANENT;
            case SAVED -> SAVED;
            case VOLATILE -> VOLATILE;
        };
    }
}
