package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.crypto.RsaException;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Decrypting with a loaded key in its own scheme (TPM Main Part 2, section 5.8.1). */
final class Decryption {
    private Decryption() {}

    /** Whether a key decrypts what is padded as in PKCS#1 version 1.5, which does not protect against its being changed. */
    static boolean isPkcs1(LoadedKey key) {
        return key.key().algorithmParms().encScheme() == Algorithm.ES_RSAESPKCSV15;
    }

    /**
     * Decrypts what was encrypted for a key.
     *
     * @return the plaintext; the caller zeroes it
     * @throws TpmException with BAD_DATASIZE if it is longer than the key, with DECRYPT_ERROR if it is anything else
     */
    static byte[] withKey(Transaction tx, LoadedKey key, byte[] ciphertext) {
        if (!isPkcs1(key)) {
            return Oaep.decrypt(tx.environment(), key.rsaPrivate(), ciphertext);
        }
        require(ciphertext.length <= key.rsaPublic().length(), ReturnCode.BAD_DATASIZE);
        try {
            return tx.environment().rsa().decryptPkcs1(key.rsaPrivate(), ciphertext);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.DECRYPT_ERROR);
        }
    }
}
