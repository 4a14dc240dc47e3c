package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.Handles;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.TpmException;

/**
 * What a new session shall be bound to.
 *
 * @param secret the entity's authorisation secret; not a copy
 */
record Target(Entity entity, byte[] secret) {
    /**
     * Finds an entity.
     *
     * @param type low byte of TPM_ENTITY_TYPE
     * @param value TPM_ENTITY_TYPE's handle or index; not looked at for the owner and the storage root key
     */
    static Target find(Transaction tx, int type, int value) {
        return switch (type) {
            case EntityType.OWNER -> new Target(Entity.OWNER, owner(tx).ownerAuth());
            case EntityType.SRK -> new Target(Entity.SRK, owner(tx).srk().usageAuth());
            case EntityType.KEY_HANDLE -> key(tx, value);
            case EntityType.NV -> nv(tx, value);
            case EntityType.COUNTER -> throw new TpmException(ReturnCode.BAD_COUNTER);
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
    }

    /** The PCRs and localities that a key is bound to do not matter yet: it is not used before it is authorised. */
    private static Target key(Transaction tx, int handle) {
        require(handle != Handles.OPERATOR, ReturnCode.BAD_HANDLE);
        LoadedKey key = Keys.find(tx, handle);
        return new Target(key.entity(), key.usageAuth());
    }

    private static Target nv(Transaction tx, int nvIndex) {
        NvArea area = tx.permanent().nvArea(nvIndex);
        if (area == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return new Target(Entity.nv(nvIndex), area.authValue());
    }

    private static Owner owner(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner;
    }
}
