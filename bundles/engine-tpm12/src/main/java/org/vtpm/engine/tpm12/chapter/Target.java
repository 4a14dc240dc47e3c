package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Counter;
import org.vtpm.engine.tpm12.state.DelegationTables.Delegate;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.tpm12.structure.DelegateBlob;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * What a new session shall be bound to.
 *
 * @param secret the entity's authorisation secret, or the delegation's; not a copy
 * @param delegation what the session may be used for; null if for all that the entity may
 */
record Target(Entity entity, byte[] secret, @Nullable DelegatePublic delegation) {
    /**
     * Finds an entity.
     *
     * @param type low byte of TPM_ENTITY_TYPE
     * @param value TPM_ENTITY_TYPE's handle or index; not looked at for the owner and the storage root key
     */
    static Target find(Transaction tx, int type, int value) {
        return switch (type) {
            case EntityType.OWNER -> owner(tx, owner(tx));
            case EntityType.SRK -> new Target(Entity.SRK, owner(tx).srk().usageAuth(), null);
            case EntityType.KEY_HANDLE -> key(tx, value);
            case EntityType.NV -> nv(tx, value);
            case EntityType.COUNTER -> counter(CounterChapter.find(tx, value));
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
    }

    /** The owner, by what a row of the delegate table allows. */
    static Target of(Delegate delegate) {
        return new Target(Entity.OWNER, delegate.authValue(), delegate.pub());
    }

    /**
     * The owner or a key, by what a blob allows.
     *
     * @param keyHandle not looked at for the owner
     */
    static Target of(Transaction tx, DelegateBlob blob, int keyHandle) {
        Delegation.requireValid(tx, blob.pub());
        DelegationBlobs.requireIntegrity(tx, blob);
        Entity entity = blob instanceof DelegateBlob.KeyBlob keyBlob
                ? delegated(tx, keyBlob, keyHandle).entity()
                : Entity.OWNER;
        return new Target(entity, DelegationBlobs.authValue(tx, blob), blob.pub());
    }

    private static LoadedKey delegated(Transaction tx, DelegateBlob.KeyBlob blob, int keyHandle) {
        LoadedKey key = Keys.find(tx, keyHandle);
        require(Arrays.equals(Delegation.pubKeyDigest(key), blob.pubKeyDigest()), ReturnCode.KEYNOTFOUND);
        return key;
    }

    /** While an owner pointer is set, the owner is known by that delegation. */
    private static Target owner(Transaction tx, Owner owner) {
        int reference = tx.stClear().ownerReference();
        return reference == Handles.OWNER
                ? new Target(Entity.OWNER, owner.ownerAuth(), null)
                : of(Delegation.valid(tx, reference));
    }

    /** The PCRs and localities that a key is bound to do not matter yet: it is not used before it is authorised. */
    private static Target key(Transaction tx, int handle) {
        require(handle != Handles.OPERATOR, ReturnCode.BAD_HANDLE);
        LoadedKey key = Keys.find(tx, handle);
        return new Target(key.entity(), key.usageAuth(), null);
    }

    private static Target counter(Counter counter) {
        return new Target(counter.entity(), counter.auth(), null);
    }

    private static Target nv(Transaction tx, int nvIndex) {
        NvArea area = tx.permanent().nvArea(nvIndex);
        if (area == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return new Target(Entity.nv(nvIndex), area.authValue(), null);
    }

    private static Owner owner(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner;
    }
}
