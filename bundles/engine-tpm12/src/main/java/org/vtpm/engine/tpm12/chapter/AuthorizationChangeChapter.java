package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Authorisation changing (TPM Main Part 3, section 17). */
public final class AuthorizationChangeChapter implements Chapter {
    /** TPM_PID_ADCP. */
    private static final int PID_ADCP = 4;

    record ChangeAuthOwner(
            @U16 int protocolId,
            @Fixed(20) byte[] newAuth,
            @U16 int entityType) {}

    record ChangeAuth(
            int parentHandle,
            @U16 int protocolId,
            @Fixed(20) byte[] newAuth,
            @U16 int entityType,
            @Sized byte[] encData) {}

    record OutData(@Sized byte[] outData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("ChangeAuthOwner", ChangeAuthOwner.class, AuthorizationChangeChapter::changeAuthOwner);
        handlers.on("ChangeAuth", ChangeAuth.class, AuthorizationChangeChapter::changeAuth);
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

    /** Changes the secret of a key or of sealed data, in the blob that the guest keeps; both sessions end. */
    private static Record changeAuth(Transaction tx, ChangeAuth request) {
        Authorizations authorizations = tx.authorizations();
        WrappedEntity.requireType(request.entityType());
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        authorizations.requireSharedSecret(0);
        authorizations.requireProtocol(1, Session.OIAP);
        require(request.protocolId() == PID_ADCP, ReturnCode.BAD_PARAMETER);
        authorizations.verify(0, parent);
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        WrappedEntity entity = WrappedEntity.open(tx, parent, request.entityType(), request.encData());
        byte[] newAuth = authorizations.decrypt(0, request.newAuth());
        try {
            // A copy: the response is authorised with the old secret after that is zeroed.
            authorizations.verify(1, Entity.NONE, entity.secret().clone());
            authorizations.close(1);
            return new OutData(entity.withSecret(newAuth));
        } finally {
            entity.destroy();
            Secrets.zero(newAuth);
        }
    }
}
