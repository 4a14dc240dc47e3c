package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.RsaPrivateKey;
import org.vtpm.tpm12.structure.AuthDataUsage;
import org.vtpm.tpm12.structure.ChangeauthValidate;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyFlags;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/**
 * Authorisation changing of version 1.1, which keeps the new secret from who knows the parent's: it comes encrypted for a
 * key that the TPM makes for that, and that an identity certifies (TPM Main Part 3, sections 28.3 and 28.4).
 */
public final class AsymmetricChangeChapter implements Chapter {
    record Start(int idHandle, @Fixed(20) byte[] antiReplay, KeyParms inTempKey) {}

    record Started(
            CertifyChapter.Certified certifyInfo, @Sized byte[] sig, int ephHandle, TpmKey outTempKey) {}

    record Finish(
            int parentHandle,
            int ephHandle,
            @U16 int entityType,
            @Fixed(20) byte[] newAuthLink,
            @Sized byte[] encNewAuth,
            @Sized byte[] encData) {}

    record Finished(
            @Sized byte[] outData,
            @Fixed(20) byte[] saltNonce,
            @Fixed(20) byte[] changeProof) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("ChangeAuthAsymStart", Start.class, AsymmetricChangeChapter::start);
        handlers.on("ChangeAuthAsymFinish", Finish.class, AsymmetricChangeChapter::finish);
    }

    private static Record start(Transaction tx, Start request) {
        LoadedKey identity = Keys.usable(tx, request.idHandle());
        Keys.requireUsage(identity, KeyUsage.IDENTITY);
        Keys.authorize(tx, identity);
        TpmKey params = new TpmKey.Key(
                KeyCreation.NO_REVISION,
                KeyUsage.AUTHCHANGE,
                new KeyFlags(KeyFlag.IS_VOLATILE.mask()),
                AuthDataUsage.NEVER,
                request.inTempKey(),
                null,
                new StorePubkey(new byte[0]),
                new byte[0]);
        KeyProperties.check(tx, params);
        org.vtpm.crypto.RsaPrivateKey made = KeyCreation.generate(tx, params);
        TpmKey key = KeyCreation.complete(tx, params, made.publicKey().modulus());
        LoadedKey ephemeral = new LoadedKey(
                Keys.freeHandle(tx),
                key,
                RsaPrivateKey.of(made.crt()),
                new byte[Sha1.LENGTH],
                new byte[Sha1.LENGTH],
                PayloadType.ASYM,
                false);
        Keys.load(tx, ephemeral);
        CertifyChapter.Certified info = CertifyChapter.first(ephemeral, request.antiReplay(), null);
        return new Started(info, CertifyChapter.sign(tx, identity, info), ephemeral.handle(), key);
    }

    private static Record finish(Transaction tx, Finish request) {
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        authorize(tx, parent);
        WrappedEntity.requireType(request.entityType());
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        WrappedEntity entity = WrappedEntity.open(tx, parent, request.entityType(), request.encData());
        try {
            LoadedKey ephemeral = Keys.usable(tx, request.ephHandle());
            require(ephemeral.key().keyUsage() == KeyUsage.AUTHCHANGE, ReturnCode.BAD_PARAMETER);
            ChangeauthValidate change = decrypt(tx, ephemeral, request.encNewAuth());
            try {
                byte[] link = Hmac.sha1(entity.secret(), change.newAuthSecret());
                require(Secrets.equal(link, request.newAuthLink()), ReturnCode.AUTHFAIL);
                byte[] outData = entity.withSecret(change.newAuthSecret());
                byte[] salt = tx.environment().random(Sha1.LENGTH);
                Keys.evict(tx, ephemeral);
                return new Finished(outData, salt, Hmac.sha1(change.newAuthSecret(), salt, change.n1()));
            } finally {
                change.destroy();
            }
        } finally {
            entity.destroy();
        }
    }

    /** In place of the storage root key's secret, that of the owner counts. */
    private static void authorize(Transaction tx, LoadedKey parent) {
        if (parent.handle() == Handles.SRK && tx.authorizations().count() > 0) {
            tx.authorizations().verifyOwner();
        } else {
            Keys.authorize(tx, parent);
        }
    }

    private static ChangeauthValidate decrypt(Transaction tx, LoadedKey ephemeral, byte[] encNewAuth) {
        byte[] plain = Oaep.decrypt(tx.environment(), ephemeral.rsaPrivate(), encNewAuth);
        try {
            return Codec.of(ChangeauthValidate.class).decode(plain);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        } finally {
            Secrets.zero(plain);
        }
    }
}
