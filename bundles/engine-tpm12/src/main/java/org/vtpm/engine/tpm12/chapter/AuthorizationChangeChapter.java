package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
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
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.PayloadType;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.SealedData;
import org.vtpm.engine.tpm12.structure.StoreAsymkey;
import org.vtpm.engine.tpm12.structure.TpmException;

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
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        authorizations.requireSharedSecret(0);
        authorizations.verify(0, parent);
        require(request.protocolId() == PID_ADCP, ReturnCode.BAD_PARAMETER);
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        byte[] newAuth = authorizations.decrypt(0, request.newAuth());
        authorizations.close(1);
        try {
            return new OutData(
                    switch (request.entityType()) {
                        case EntityType.DATA -> changeSealed(tx, parent, request.encData(), newAuth);
                        case EntityType.KEY -> changeKey(tx, parent, request.encData(), newAuth);
                        default -> throw new TpmException(ReturnCode.WRONG_ENTITYTYPE);
                    });
        } finally {
            Secrets.zero(newAuth);
        }
    }

    private static byte[] changeKey(Transaction tx, LoadedKey parent, byte[] encData, byte[] newAuth) {
        StoreAsymkey old = KeyLoading.decrypt(tx, parent, encData);
        try {
            verifyEntity(tx, old.usageAuth());
            return KeyCreation.wrap(
                    tx,
                    parent.rsaPublic(),
                    new StoreAsymkey(old.payload(), newAuth, old.migrationAuth(), old.pubDataDigest(), old.privKey()));
        } finally {
            old.destroy();
        }
    }

    private static byte[] changeSealed(Transaction tx, LoadedKey parent, byte[] encData, byte[] newAuth) {
        byte[] plain = Oaep.decrypt(tx.environment(), parent.rsaPrivate(), encData);
        try {
            SealedData old = Codec.of(SealedData.class).decode(plain);
            try {
                require(old.payload() == PayloadType.SEAL, ReturnCode.INVALID_STRUCTURE);
                verifyEntity(tx, old.authData());
                return SealChapter.encrypt(
                        tx,
                        parent,
                        new SealedData(old.payload(), newAuth, old.tpmProof(), old.storedDigest(), old.data()));
            } finally {
                old.destroy();
            }
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.INVALID_STRUCTURE);
        } finally {
            Secrets.zero(plain);
        }
    }

    /** Verifies the second block, whose response is authorised with the old secret too: hence a copy. */
    private static void verifyEntity(Transaction tx, byte[] secret) {
        tx.authorizations().requireProtocol(1, Session.OIAP);
        tx.authorizations().verify(1, Entity.NONE, secret.clone());
    }
}
