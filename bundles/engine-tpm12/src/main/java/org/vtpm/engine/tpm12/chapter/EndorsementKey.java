package org.vtpm.engine.tpm12.chapter;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.RSAPublicKeySpec;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Environment;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.RsaPrivateKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmException;

/** Making and using endorsement keys. */
public final class EndorsementKey {
    /** The only length of an endorsement key. */
    static final int BITS = 2048;

    private EndorsementKey() {}

    /**
     * Makes a key, and the secrets that go with it.
     *
     * @param ekReset authorises TPM_RevokeTrust
     */
    public static Endorsement make(Environment environment, byte[] ekReset) {
        var key = environment.newRsaKey(BITS, RsaPublicKey.F4);
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

    /** The public key as the DER of an X.509 SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
    public static byte[] subjectPublicKeyInfo(Pubkey key) {
        RsaPublicKey rsa = key.rsa();
        try {
            return KeyFactory.getInstance("RSA")
                    .generatePublic(
                            new RSAPublicKeySpec(new BigInteger(1, rsa.modulus()), BigInteger.valueOf(rsa.exponent())))
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java cannot write an RSA public key", e);
        }
    }

    /** Decrypts an authorisation secret that was encrypted for this TPM. */
    static byte[] decryptSecret(Environment environment, Endorsement endorsement, byte[] encrypted) {
        var key = endorsement.privateKey().withPublic(endorsement.publicKey());
        byte[] secret = Oaep.decrypt(environment, key, encrypted);
        if (secret.length != Sha1.LENGTH) {
            Secrets.zero(secret);
            throw new TpmException(ReturnCode.BAD_KEY_PROPERTY);
        }
        return secret;
    }
}
