package org.vtpm.engine.tpm12.chapter;

import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.structure.PayloadType;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.SealedData;
import org.vtpm.engine.tpm12.structure.TpmException;

/** The encrypted part of sealed data. */
final class Sealing {
    private Sealing() {}

    /**
     * Encrypts for the key that data is sealed to.
     *
     * @throws TpmException with BAD_DATASIZE if it is too much for the key
     */
    static byte[] encrypt(Transaction tx, LoadedKey parent, SealedData sealed) {
        byte[] plain = Codec.of(SealedData.class).encode(sealed);
        try {
            return Oaep.encrypt(tx.environment(), parent.rsaPublic(), plain);
        } finally {
            Secrets.zero(plain);
        }
    }

    /**
     * Decrypts; the caller destroys the result, and checks that it belongs to this TPM.
     *
     * @throws TpmException with BAD_DATASIZE, DECRYPT_ERROR, BAD_PARAM_SIZE or INVALID_STRUCTURE if it is no sealed data
     */
    static SealedData decrypt(Transaction tx, LoadedKey parent, byte[] encData) {
        byte[] plain = Oaep.decrypt(tx.environment(), parent.rsaPrivate(), encData);
        try {
            SealedData sealed = Codec.of(SealedData.class).read(new ByteReader(plain));
            if (sealed.payload() != PayloadType.SEAL) {
                sealed.destroy();
                throw new TpmException(ReturnCode.INVALID_STRUCTURE);
            }
            return sealed;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        } finally {
            Secrets.zero(plain);
        }
    }
}
