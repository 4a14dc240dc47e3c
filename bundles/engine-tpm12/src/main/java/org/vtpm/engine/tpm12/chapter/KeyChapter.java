package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmKey;

/** The storage functions that manage keys (TPM Main Part 3, sections 10.4 to 10.6 and 27.8). */
public final class KeyChapter implements Chapter {
    record CreateWrapKey(
            int parentHandle,
            @Fixed(20) byte[] dataUsageAuth,
            @Fixed(20) byte[] dataMigrationAuth,
            TpmKey keyInfo) {}

    record WrappedKey(TpmKey wrappedKey) {}

    record LoadKey(int parentHandle, TpmKey inKey) {}

    record KeyHandle(int keyHandle) {}

    record PublicKey(Pubkey pubKey) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("CreateWrapKey", CreateWrapKey.class, KeyChapter::createWrapKey);
        handlers.on("LoadKey", LoadKey.class, KeyChapter::loadKey);
        handlers.on("LoadKey2", LoadKey.class, KeyChapter::loadKey);
        handlers.on("GetPubKey", KeyHandle.class, KeyChapter::getPubKey);
    }

    private static Record createWrapKey(Transaction tx, CreateWrapKey request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        authorizations.requireSharedSecret(0);
        authorizations.verify(0, parent);
        TpmKey keyInfo = request.keyInfo();
        KeyProperties.check(tx, keyInfo);
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        boolean migratable = keyInfo.is(KeyFlag.MIGRATABLE);
        require(migratable || !parent.key().is(KeyFlag.MIGRATABLE), ReturnCode.INVALID_KEYUSAGE);
        require(
                keyInfo.keyUsage() != KeyUsage.IDENTITY
                        && keyInfo.keyUsage() != KeyUsage.AUTHCHANGE
                        && !keyInfo.is(KeyFlag.MIGRATE_AUTHORITY),
                ReturnCode.INVALID_KEYUSAGE);
        byte[] usageAuth = authorizations.decrypt(0, request.dataUsageAuth());
        byte[] migrationAuth = migratable
                ? authorizations.decryptSecond(0, request.dataMigrationAuth())
                : Keys.tpmProof(tx).clone();
        try {
            return new WrappedKey(KeyCreation.wrapped(tx, parent, keyInfo, PayloadType.ASYM, usageAuth, migrationAuth));
        } finally {
            Secrets.zero(usageAuth, migrationAuth);
        }
    }

    /** TPM_LoadKey and TPM_LoadKey2 differ in whether the response's authorisation covers the handle. */
    private static Record loadKey(Transaction tx, LoadKey request) {
        LoadedKey parent = Keys.useParent(tx, request.parentHandle());
        LoadedKey key = KeyLoading.unwrap(tx, parent, request.inKey());
        Keys.load(tx, key);
        return new KeyHandle(key.handle());
    }

    private static Record getPubKey(Transaction tx, KeyHandle request) {
        LoadedKey key = Keys.readable(tx, request.keyHandle());
        if (tx.authorizations().count() == 0) {
            Keys.requireNoReadAuthorization(key);
        } else {
            tx.authorizations().verify(0, key);
        }
        require(
                request.keyHandle() != Handles.SRK || tx.is(PermanentFlags.Flag.READ_SRK_PUB),
                ReturnCode.INVALID_KEYHANDLE);
        return new PublicKey(key.key().publicKey());
    }
}
