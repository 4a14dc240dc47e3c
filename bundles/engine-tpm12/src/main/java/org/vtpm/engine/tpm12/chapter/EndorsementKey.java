package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import java.nio.charset.StandardCharsets;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Environment;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.RsaPrivateKey;
import org.vtpm.engine.tpm12.structure.Algorithm;
import org.vtpm.engine.tpm12.structure.KeyParms;
import org.vtpm.engine.tpm12.structure.Pubkey;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.StorePubkey;
import org.vtpm.engine.tpm12.structure.TpmException;

/** Making and using endorsement keys. */
public final class EndorsementKey {
    /** The only length of an endorsement key. */
    static final int BITS = 2048;

    /** The OAEP label of everything in TPM 1.2 (TPM Main Part 1, section 31.1.1). */
    static final byte[] OAEP_LABEL = "TCPA".getBytes(StandardCharsets.US_ASCII);

    private EndorsementKey() {}

    /**
     * Makes a key, and the secrets that go with it.
     *
     * @param ekReset authorises TPM_RevokeTrust
     */
    public static Endorsement make(Environment environment, byte[] ekReset) {
        var key = environment.newRsaKey(BITS);
        return new Endorsement(
                new Pubkey(
                        KeyParms.rsa(Algorithm.ES_RSAESOAEP_SHA1_MGF1, Algorithm.SS_NONE, BITS),
                        new StorePubkey(key.publicKey().modulus())),
                RsaPrivateKey.of(key.crt()),
                ekReset,
                environment.random(Sha1.LENGTH),
                environment.random(Sha1.LENGTH),
                environment.random(AesCtr.KEY_LENGTH));
    }

    /** Decrypts an authorisation secret that was encrypted for this TPM. */
    static byte[] decryptSecret(Environment environment, Endorsement endorsement, byte[] encrypted) {
        var key = endorsement.privateKey().withPublic(endorsement.publicKey().pubKey());
        require(encrypted.length <= key.publicKey().length(), ReturnCode.BAD_DATASIZE);
        byte[] secret;
        try {
            secret = environment.rsa().decryptOaep(key, OAEP_LABEL, encrypted);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.DECRYPT_ERROR);
        }
        if (secret.length != Sha1.LENGTH) {
            Secrets.zero(secret);
            throw new TpmException(ReturnCode.BAD_KEY_PROPERTY);
        }
        return secret;
    }
}
