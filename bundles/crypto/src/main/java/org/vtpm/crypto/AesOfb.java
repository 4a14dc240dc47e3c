package org.vtpm.crypto;

import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.OFBBlockCipher;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;

/**
 * AES-128 in output feedback mode (NIST SP 800-38A), where whole blocks are fed back: TPM_ES_SYM_OFB (TPM Main Part 2,
 * section 5.8.1). Encrypts and decrypts alike, authenticates nothing.
 */
public final class AesOfb {
    /** Length of a key in bytes. */
    public static final int KEY_LENGTH = 16;
    /** Length of an initial vector in bytes. */
    public static final int IV_LENGTH = 16;

    private static final int FEEDBACK_BITS = 128;

    private AesOfb() {}

    /**
     * Encrypts or decrypts.
     *
     * @param key {@value #KEY_LENGTH} bytes
     * @param iv {@value #IV_LENGTH} bytes, never used before under this key
     * @return as many bytes as {@code input} has
     */
    public static byte[] apply(byte[] key, byte[] iv, byte[] input) {
        if (key.length != KEY_LENGTH || iv.length != IV_LENGTH) {
            throw new IllegalArgumentException("AES-128-OFB takes 16 bytes of key and 16 of initial vector, not "
                    + key.length + " and " + iv.length);
        }
        OFBBlockCipher cipher = new OFBBlockCipher(AESEngine.newInstance(), FEEDBACK_BITS);
        cipher.init(true, new ParametersWithIV(new KeyParameter(key), iv));
        byte[] output = new byte[input.length];
        cipher.processBytes(input, 0, input.length, output, 0);
        return output;
    }
}
