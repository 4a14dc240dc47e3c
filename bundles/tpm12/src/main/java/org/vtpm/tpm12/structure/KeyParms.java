package org.vtpm.tpm12.structure;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;

/**
 * TPM_KEY_PARMS (TPM Main Part 2, section 10.1) of an RSA key; keys of other algorithms are refused. Guests also send it
 * without a key, all zero.
 *
 * @param algorithmId {@link Algorithm#RSA} or {@link Algorithm#NONE}
 * @param encScheme see {@link Algorithm}
 * @param sigScheme see {@link Algorithm}
 * @param parms the encoding of {@link RsaKeyParms} for RSA; otherwise it is not looked at
 */
public record KeyParms(
        int algorithmId,
        @U16 int encScheme,
        @U16 int sigScheme,
        @Sized byte[] parms) {
    public KeyParms {
        if (algorithmId == Algorithm.RSA) {
            rsaParms(parms);
        } else {
            TpmException.require(algorithmId == Algorithm.NONE, ReturnCode.BAD_KEY_PROPERTY);
        }
    }

    /** Parameters of an RSA key with two primes and the exponent 65537. */
    public static KeyParms rsa(int encScheme, int sigScheme, int bits) {
        return new KeyParms(
                Algorithm.RSA, encScheme, sigScheme, Codec.of(RsaKeyParms.class).encode(RsaKeyParms.ofLength(bits)));
    }

    /** The parameters of an RSA key. */
    public RsaKeyParms rsa() {
        return rsaParms(parms);
    }

    private static RsaKeyParms rsaParms(byte[] parms) {
        try {
            return Codec.of(RsaKeyParms.class).decode(parms);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }
}
