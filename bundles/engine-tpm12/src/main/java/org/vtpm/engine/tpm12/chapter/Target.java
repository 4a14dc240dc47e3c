package org.vtpm.engine.tpm12.chapter;

import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
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
            case EntityType.SRK -> new Target(Entity.SRK, owner(tx).srkAuth());
            case EntityType.KEY_HANDLE -> key(tx, value);
            case EntityType.NV -> nv(tx, value);
            case EntityType.COUNTER -> throw new TpmException(ReturnCode.BAD_COUNTER);
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
    }

    private static Target key(Transaction tx, int handle) {
        return switch (handle) {
            case Handles.SRK -> new Target(Entity.SRK, owner(tx).srkAuth());
            case Handles.OPERATOR -> throw new TpmException(ReturnCode.BAD_HANDLE);
            case Handles.EK -> throw new TpmException(ReturnCode.KEYNOTFOUND);
            default ->
                throw new TpmException(
                        Handles.reserved(handle) ? ReturnCode.INVALID_RESOURCE : ReturnCode.INVALID_KEYHANDLE);
        };
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
