package org.vtpm.tpm12.structure;

import org.vtpm.crypto.RsaPublicKey;

/** TPM_PUBKEY (TPM Main Part 2, section 10.5). */
public record Pubkey(KeyParms algorithmParms, StorePubkey pubKey) {
    /**
     * The key to compute with.
     *
     * @throws TpmException with BAD_KEY_PROPERTY if it is no RSA key of the length that it says
     */
    public RsaPublicKey rsa() {
        TpmException.require(algorithmParms.algorithmId() == Algorithm.RSA, ReturnCode.BAD_KEY_PROPERTY);
        RsaKeyParms parms = algorithmParms.rsa();
        byte[] modulus = pubKey.key();
        TpmException.require(
                modulus.length > 0
                        && 8L * modulus.length == parms.keyLength()
                        && modulus[0] != 0
                        && (modulus[modulus.length - 1] & 1) != 0,
                ReturnCode.BAD_KEY_PROPERTY);
        return new RsaPublicKey(modulus, parms.publicExponent());
    }
}
