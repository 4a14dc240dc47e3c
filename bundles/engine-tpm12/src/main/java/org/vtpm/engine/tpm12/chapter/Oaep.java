package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.nio.charset.StandardCharsets;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.engine.tpm12.command.Environment;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** RSA encryption as all of TPM 1.2 uses it where nothing else is said (TPM Main Part 1, section 31.1.1). */
final class Oaep {
    private static final byte[] LABEL = "TCPA".getBytes(StandardCharsets.US_ASCII);

    private Oaep() {}

    /**
     * Encrypts for a key.
     *
     * @throws TpmException with BAD_DATASIZE if that is too much for the key
     */
    static byte[] encrypt(Environment environment, RsaPublicKey key, byte[] plaintext) {
        try {
            return environment.rsa().encryptOaep(key, LABEL, plaintext);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.BAD_DATASIZE);
        }
    }

    /**
     * Decrypts what was encrypted for a key.
     *
     * @return the plaintext; the caller zeroes it
     * @throws TpmException with BAD_DATASIZE if it is longer than the key, with DECRYPT_ERROR if it is anything else
     */
    static byte[] decrypt(Environment environment, RsaPrivateKey key, byte[] ciphertext) {
        require(ciphertext.length <= key.publicKey().length(), ReturnCode.BAD_DATASIZE);
        try {
            return environment.rsa().decryptOaep(key, LABEL, ciphertext);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.DECRYPT_ERROR);
        }
    }
}
