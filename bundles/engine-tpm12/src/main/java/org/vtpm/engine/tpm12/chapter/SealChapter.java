package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

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
import org.vtpm.engine.tpm12.structure.Adip;
import org.vtpm.engine.tpm12.structure.Algorithm;
import org.vtpm.engine.tpm12.structure.BoundData;
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.PayloadType;
import org.vtpm.engine.tpm12.structure.PcrInfo;
import org.vtpm.engine.tpm12.structure.PcrInfoLong;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.SealedData;
import org.vtpm.engine.tpm12.structure.StoredData;
import org.vtpm.engine.tpm12.structure.TpmException;

/** Data that only this TPM gives back: sealed to its state, or bound to a key (TPM Main Part 3, sections 10.1 to 10.3 and 10.7). */
public final class SealChapter implements Chapter {
    private static final byte[] PCR_INFO_LONG_TAG = {0x00, 0x06};

    record Seal(
            int keyHandle,
            @Fixed(20) byte[] encAuth,
            @Sized byte[] pcrInfo,
            @Sized byte[] inData) {}

    record Sealed(StoredData sealedData) {}

    record Unseal(int parentHandle, StoredData inData) {}

    record Secret(@Sized byte[] secret) {}

    record UnBind(int keyHandle, @Sized byte[] inData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("Seal", Seal.class, SealChapter::seal);
        handlers.on("Sealx", Seal.class, SealChapter::sealx);
        handlers.on("Unseal", Unseal.class, SealChapter::unseal);
        handlers.on("UnBind", UnBind.class, SealChapter::unBind);
    }

    private static Record seal(Transaction tx, Seal request) {
        LoadedKey key = requireSealer(tx, request);
        byte[] noData = {};
        StoredData stored = request.pcrInfo().length == 0 || !startsLong(request.pcrInfo())
                ? new StoredData.Stored11(
                        0, PcrConditions.created(tx, decode(PcrInfo.class, request.pcrInfo())), noData)
                : new StoredData.Stored12(
                        0, PcrConditions.created(tx, decode(PcrInfoLong.class, request.pcrInfo())), noData);
        return sealed(tx, key, request, stored, request.inData());
    }

    /** The data comes encrypted by the session, and TPM_Unseal will give it back so. */
    private static Record sealx(Transaction tx, Seal request) {
        LoadedKey key = requireSealer(tx, request);
        PcrInfoLong pcrs = PcrConditions.created(tx, decode(PcrInfoLong.class, request.pcrInfo()));
        int scheme = tx.authorizations().session(0).adip();
        // Zero would say that nothing is encrypted.
        int et = scheme == Adip.XOR ? EntityType.KEY : scheme << 8;
        byte[] data = tx.authorizations().crypt(0, scheme, request.inData());
        try {
            return sealed(tx, key, request, new StoredData.Stored12(et, pcrs, new byte[0]), data);
        } finally {
            Secrets.zero(data);
        }
    }

    private static LoadedKey requireSealer(Transaction tx, Seal request) {
        LoadedKey key = Keys.usable(tx, request.keyHandle());
        tx.authorizations().requireSharedSecret(0);
        tx.authorizations().verify(0, key);
        require(request.inData().length > 0, ReturnCode.BAD_PARAMETER);
        Keys.requireUsage(key, KeyUsage.STORAGE);
        Keys.requireFixed(key);
        return key;
    }

    private static Record sealed(Transaction tx, LoadedKey key, Seal request, StoredData stored, byte[] data) {
        byte[] authData = tx.authorizations().decrypt(0, request.encAuth());
        try {
            SealedData sealed =
                    new SealedData(PayloadType.SEAL, authData, Keys.tpmProof(tx), stored.storedDigest(), data);
            return new Sealed(stored.withEncData(Sealing.encrypt(tx, key, sealed)));
        } finally {
            Secrets.zero(authData);
        }
    }

    private static Record unseal(Transaction tx, Unseal request) {
        Authorizations authorizations = tx.authorizations();
        int dataBlock = authorizations.count() - 1;
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        if (dataBlock == 0) {
            Keys.requireNoAuthorization(parent);
        } else {
            authorizations.verify(0, parent);
        }
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        Keys.requireFixed(parent);
        StoredData stored = request.inData();
        SealedData sealed = open(tx, parent, stored);
        try {
            PcrConditions.requireRelease(tx, stored.release());
            authorizations.requireProtocol(dataBlock, Session.OIAP);
            authorizations.verify(dataBlock, Entity.NONE, sealed.authData().clone());
            return new Secret(stored.et() == 0 ? sealed.data().clone() : encrypted(tx, stored, sealed));
        } finally {
            sealed.destroy();
        }
    }

    private static byte[] encrypted(Transaction tx, StoredData stored, SealedData sealed) {
        require(tx.authorizations().count() == 2, ReturnCode.AUTHFAIL);
        tx.authorizations().requireSharedSecret(0);
        return tx.authorizations().crypt(0, stored.et() >> 8, sealed.data());
    }

    /** Whatever is wrong with the blob, nobody learns what. */
    private static SealedData open(Transaction tx, LoadedKey parent, StoredData stored) {
        SealedData sealed;
        try {
            sealed = Sealing.decrypt(tx, parent, stored.encData());
        } catch (TpmException e) {
            throw new TpmException(ReturnCode.NOTSEALED_BLOB);
        }
        boolean own = Secrets.equal(sealed.tpmProof(), Keys.tpmProof(tx))
                && Secrets.equal(sealed.storedDigest(), stored.storedDigest());
        if (!own) {
            sealed.destroy();
            throw new TpmException(ReturnCode.NOTSEALED_BLOB);
        }
        return sealed;
    }

    private static Record unBind(Transaction tx, UnBind request) {
        require(request.inData().length > 0, ReturnCode.BAD_PARAMETER);
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Keys.requireUsage(key, KeyUsage.BIND, KeyUsage.LEGACY);
        boolean oaep = key.key().algorithmParms().encScheme() == Algorithm.ES_RSAESOAEP_SHA1_MGF1;
        byte[] plain = oaep
                ? Oaep.decrypt(tx.environment(), key.rsaPrivate(), request.inData())
                : Pkcs1.decrypt(tx.environment(), key.rsaPrivate(), request.inData());
        // A legacy key decrypts what knows nothing of TPMs.
        if (!oaep && key.key().keyUsage() == KeyUsage.LEGACY) {
            return new Secret(plain);
        }
        try {
            BoundData bound = Codec.of(BoundData.class).decode(plain);
            require(bound.payload() == PayloadType.BIND, ReturnCode.INVALID_STRUCTURE);
            return new Secret(bound.payloadData());
        } catch (CodecException e) {
            throw new TpmException(
                    e.kind() == CodecException.Kind.BAD_VERSION ? ReturnCode.BAD_VERSION : ReturnCode.BAD_PARAM_SIZE);
        } finally {
            Secrets.zero(plain);
        }
    }

    private static boolean startsLong(byte[] pcrInfo) {
        return pcrInfo.length >= PCR_INFO_LONG_TAG.length
                && pcrInfo[0] == PCR_INFO_LONG_TAG[0]
                && pcrInfo[1] == PCR_INFO_LONG_TAG[1];
    }

    /** PCR information whose form is none ends in BADINDEX, which is what the specification names. */
    private static <T> @Nullable T decode(Class<T> type, byte[] pcrInfo) {
        if (pcrInfo.length == 0) {
            return null;
        }
        try {
            return Codec.of(type).decode(pcrInfo);
        } catch (CodecException | TpmException e) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
    }
}
