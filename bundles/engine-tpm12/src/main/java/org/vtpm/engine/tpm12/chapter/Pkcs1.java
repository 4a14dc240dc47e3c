package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.engine.tpm12.command.Environment;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.TpmException;

/** RSA encryption of the scheme TPM_ES_RSAESPKCSV15 (TPM Main Part 1, section 31.1.1). */
final class Pkcs1 {
    private Pkcs1() {}

    /**
     * Decrypts what was encrypted for a key.
     *
     * @return the plaintext; the caller zeroes it
     * @throws TpmException with BAD_DATASIZE if it is longer than the key, with DECRYPT_ERROR if it is anything else
     */
    static byte[] decrypt(Environment environment, RsaPrivateKey key, byte[] ciphertext) {
        require(ciphertext.length <= key.publicKey().length(), ReturnCode.BAD_DATASIZE);
        try {
            return environment.rsa().decryptPkcs1(key, ciphertext);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.DECRYPT_ERROR);
        }
    }
}
