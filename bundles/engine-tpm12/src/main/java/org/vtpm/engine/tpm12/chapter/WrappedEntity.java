package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.function.UnaryOperator;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SealedData;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.TpmException;

/** A key or sealed data that is outside the TPM, encrypted by its parent, when its secret changes. */
final class WrappedEntity {
    private final byte[] secret;
    private final UnaryOperator<byte[]> wrap;
    private final Runnable zero;

    private WrappedEntity(byte[] secret, UnaryOperator<byte[]> wrap, Runnable zero) {
        this.secret = secret;
        this.wrap = wrap;
        this.zero = zero;
    }

    /** Refuses what is no {@link EntityType#KEY} and no {@link EntityType#DATA}. */
    static void requireType(int entityType) {
        require(entityType == EntityType.KEY || entityType == EntityType.DATA, ReturnCode.WRONG_ENTITYTYPE);
    }

    /**
     * Decrypts one. The caller destroys it.
     *
     * @param entityType checked
     * @param encData the encrypted part of a TPM_KEY or TPM_STORED_DATA
     * @throws TpmException with BAD_DATASIZE, DECRYPT_ERROR, BAD_PARAM_SIZE or INVALID_STRUCTURE if it is none of that
     *     type, with AUTHFAIL if it is another TPM's data
     */
    static WrappedEntity open(Transaction tx, LoadedKey parent, int entityType, byte[] encData) {
        if (entityType == EntityType.KEY) {
            StoreAsymkey key = KeyLoading.decrypt(tx, parent, encData);
            return new WrappedEntity(
                    key.usageAuth(),
                    to -> KeyCreation.wrap(tx, parent.rsaPublic(), key.withUsageAuth(to)),
                    key::destroy);
        }
        SealedData data = sealedData(tx, parent, encData);
        return new WrappedEntity(
                data.authData(),
                to -> SealChapter.encrypt(
                        tx,
                        parent,
                        new SealedData(data.payload(), to, data.tpmProof(), data.storedDigest(), data.data())),
                data::destroy);
    }

    private static SealedData sealedData(Transaction tx, LoadedKey parent, byte[] encData) {
        byte[] plain = Oaep.decrypt(tx.environment(), parent.rsaPrivate(), encData);
        try {
            SealedData data = Codec.of(SealedData.class).decode(plain);
            boolean sealed = data.payload() == PayloadType.SEAL;
            if (!sealed || !Secrets.equal(data.tpmProof(), Keys.tpmProof(tx))) {
                data.destroy();
                throw new TpmException(sealed ? ReturnCode.AUTHFAIL : ReturnCode.INVALID_STRUCTURE);
            }
            return data;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.INVALID_STRUCTURE);
        } finally {
            Secrets.zero(plain);
        }
    }

    /** The present secret; not a copy. */
    byte[] secret() {
        return secret;
    }

    /** The encrypted part with another secret. */
    byte[] withSecret(byte[] to) {
        return wrap.apply(to);
    }

    /** Zeroes what is secret. */
    void destroy() {
        zero.run();
    }
}
