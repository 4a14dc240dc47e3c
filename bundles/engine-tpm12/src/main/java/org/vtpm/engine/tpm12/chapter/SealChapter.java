package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.tpm12.structure.Adip;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.PcrInfo;
import org.vtpm.tpm12.structure.PcrInfoLong;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SealedData;
import org.vtpm.tpm12.structure.StoredData;
import org.vtpm.tpm12.structure.TpmException;

/** Data that only this TPM gives back, at certain PCRs and localities (TPM Main Part 3, sections 10.1, 10.2 and 10.7). */
public final class SealChapter implements Chapter {
    record Seal(
            int keyHandle,
            @Fixed(20) byte[] encAuth,
            @Sized byte[] pcrInfo,
            @Sized byte[] inData) {}

    record Sealed(StoredData sealedData) {}

    record Unseal(int parentHandle, StoredData inData) {}

    record Secret(@Sized byte[] secret) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("Seal", Seal.class, SealChapter::seal);
        handlers.on("Sealx", Seal.class, SealChapter::sealx);
        handlers.on("Unseal", Unseal.class, SealChapter::unseal);
    }

    private static Record seal(Transaction tx, Seal request) {
        LoadedKey key = storageKey(tx, request);
        return sealed(tx, key, request, template(tx, request.pcrInfo()), request.inData());
    }

    /** The data come covered, and are uncovered with the same session's pad when they leave. */
    private static Record sealx(Transaction tx, Seal request) {
        LoadedKey key = storageKey(tx, request);
        Authorizations authorizations = tx.authorizations();
        // With XOR the low byte makes it differ from "not covered"; AES names its scheme only, as in libtpms.
        int entityType = authorizations.session(0).adip() == Adip.XOR ? EntityType.KEY : Adip.AES128_CTR << Byte.SIZE;
        PcrInfoLong pcrInfo = request.pcrInfo().length == 0 ? null : created(tx, longInfo(request.pcrInfo()));
        byte[] data = authorizations.cover(0, authorizations.session(0).adip(), request.inData());
        try {
            return sealed(tx, key, request, new StoredData.Data12(entityType, pcrInfo, new byte[0]), data);
        } finally {
            Secrets.zero(data);
        }
    }

    private static LoadedKey storageKey(Transaction tx, Seal request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey key = Keys.usable(tx, request.keyHandle());
        authorizations.requireSharedSecret(0);
        authorizations.verify(0, key);
        require(request.inData().length > 0, ReturnCode.BAD_PARAMETER);
        requireSealer(key);
        return key;
    }

    private static void requireSealer(LoadedKey key) {
        Keys.requireUsage(key, KeyUsage.STORAGE);
        require(!key.key().is(KeyFlag.MIGRATABLE), ReturnCode.INVALID_KEYUSAGE);
    }

    private static Record sealed(Transaction tx, LoadedKey key, Seal request, StoredData template, byte[] data) {
        SealedData secret = new SealedData(
                PayloadType.SEAL,
                tx.authorizations().decrypt(0, request.encAuth()),
                Keys.tpmProof(tx).clone(),
                template.storedDigest(),
                data.clone());
        try {
            return new Sealed(template.withEncData(encrypt(tx, key, secret)));
        } finally {
            secret.destroy();
        }
    }

    /** Encrypts the secret part of sealed data for its parent. */
    static byte[] encrypt(Transaction tx, LoadedKey parent, SealedData secret) {
        byte[] plain = Codec.of(SealedData.class).encode(secret);
        try {
            return Oaep.encrypt(tx.environment(), parent.rsaPublic(), plain);
        } finally {
            Secrets.zero(plain);
        }
    }

    /** What is public of the sealed data: the form of version 1.1 unless the request names localities. */
    private static StoredData template(Transaction tx, byte[] pcrInfo) {
        byte[] nothing = {};
        if (pcrInfo.length == 0) {
            return new StoredData.Data(0, null, nothing);
        }
        try {
            return new StoredData.Data12(
                    0, created(tx, Codec.of(PcrInfoLong.class).decode(pcrInfo)), nothing);
        } catch (CodecException e) {
            require(e.kind() == CodecException.Kind.BAD_TAG, ReturnCode.BADINDEX);
        } catch (TpmException e) {
            // Localities that are none.
            throw new TpmException(ReturnCode.BADINDEX);
        }
        try {
            PcrInfo info = Codec.of(PcrInfo.class).decode(pcrInfo);
            PcrInfo complete = new PcrInfo(
                    info.pcrSelection(), info.digestAtRelease(), PcrConditions.current(tx, info.pcrSelection()));
            return new StoredData.Data(0, complete, nothing);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
    }

    private static PcrInfoLong longInfo(byte[] pcrInfo) {
        try {
            return Codec.of(PcrInfoLong.class).decode(pcrInfo);
        } catch (CodecException | TpmException e) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
    }

    private static PcrInfoLong created(Transaction tx, PcrInfoLong info) {
        return new PcrInfoLong(
                1 << tx.locality(),
                info.localityAtRelease(),
                info.creationPcrSelection(),
                info.releasePcrSelection(),
                PcrConditions.current(tx, info.creationPcrSelection()),
                info.digestAtRelease());
    }

    /** Of two authorisation blocks the first is the parent's; one alone is that of the data. */
    private static Record unseal(Transaction tx, Unseal request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        int dataBlock = authorizations.count() - 1;
        if (dataBlock == 0) {
            Keys.requireNoAuthorization(parent);
        } else {
            authorizations.verify(0, parent);
        }
        requireSealer(parent);
        StoredData stored = request.inData();
        SealedData secret = decrypt(tx, parent, stored);
        try {
            requireRelease(tx, stored.release());
            authorizations.requireProtocol(dataBlock, Session.OIAP);
            // A copy: the response is authorised with it after the secret is zeroed.
            authorizations.verify(dataBlock, Entity.NONE, secret.authData().clone(), ReturnCode.AUTH2FAIL);
            if (stored.entityType() == 0) {
                return new Secret(secret.data().clone());
            }
            require(dataBlock == 1, ReturnCode.AUTHFAIL);
            authorizations.requireSharedSecret(0);
            byte[] covered = authorizations.cover(0, stored.entityType() >>> Byte.SIZE, secret.data());
            authorizations.close(0);
            return new Secret(covered);
        } finally {
            secret.destroy();
        }
    }

    /** Decrypts sealed data; whatever does not fit was not sealed by this TPM. The caller destroys the result. */
    private static SealedData decrypt(Transaction tx, LoadedKey parent, StoredData stored) {
        byte[] plain;
        try {
            plain = Oaep.decrypt(tx.environment(), parent.rsaPrivate(), stored.encData());
        } catch (TpmException e) {
            throw new TpmException(ReturnCode.NOTSEALED_BLOB);
        }
        try {
            SealedData secret = Codec.of(SealedData.class).decode(plain);
            boolean own = Secrets.equal(secret.tpmProof(), Keys.tpmProof(tx))
                    && Secrets.equal(secret.storedDigest(), stored.storedDigest())
                    && secret.payload() == PayloadType.SEAL;
            if (!own) {
                secret.destroy();
                throw new TpmException(ReturnCode.NOTSEALED_BLOB);
            }
            return secret;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.NOTSEALED_BLOB);
        } finally {
            Secrets.zero(plain);
        }
    }

    private static void requireRelease(Transaction tx, @Nullable PcrInfoShort release) {
        if (release != null) {
            PcrConditions.requirePcrs(tx, release);
            PcrConditions.requireLocality(tx, release);
        }
    }
}
