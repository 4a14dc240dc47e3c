package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.U16;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.TpmException;

/** Authorisation changing (TPM Main Part 3, section 17). */
public final class AuthorizationChangeChapter implements Chapter {
    /** TPM_PID_ADCP. */
    private static final int PID_ADCP = 4;

    record ChangeAuthOwner(
            @U16 int protocolId,
            @Fixed(20) byte[] newAuth,
            @U16 int entityType) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("ChangeAuthOwner", ChangeAuthOwner.class, AuthorizationChangeChapter::changeAuthOwner);
    }

    /** Changes the secret of the owner or of the storage root key; sessions that knew the old one end. */
    private static Record changeAuthOwner(Transaction tx, ChangeAuthOwner request) {
        Authorizations authorizations = tx.authorizations();
        authorizations.requireSharedSecret(0);
        authorizations.verifyOwner();
        require(request.protocolId() == PID_ADCP, ReturnCode.BAD_PARAMETER);
        Owner owner = tx.permanent().owner();
        boolean ownOwner = request.entityType() == EntityType.OWNER;
        if (owner == null || (!ownOwner && request.entityType() != EntityType.SRK)) {
            throw new TpmException(ReturnCode.WRONG_ENTITYTYPE);
        }
        byte[] secret = authorizations.decrypt(0, request.newAuth());
        tx.permanent(tx.permanent().withOwner(ownOwner ? owner.withOwnerAuth(secret) : owner.withSrkAuth(secret)));
        Entity changed = ownOwner ? Entity.OWNER : Entity.SRK;
        tx.stClear(tx.stClear()
                .withoutSessions(session -> session.entity().equals(Entity.OWNER)
                        || session.entity().equals(changed)));
        return NoParameters.NONE;
    }
}
