package org.vtpm.crypto;

import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.CFBBlockCipher;
import org.bouncycastle.crypto.modes.CFBModeCipher;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;

/**
 * AES in cipher feedback mode (NIST SP 800-38A) where whole blocks are fed back, as TPM 2.0 encrypts parameters. The last
 * block may be short. Authenticates nothing.
 */
public final class AesCfb {
    /** Length of an initial vector in bytes. */
    public static final int IV_LENGTH = 16;

    private static final int FEEDBACK_BITS = 128;

    private AesCfb() {}

    /**
     * Encrypts.
     *
     * @param key 16, 24 or 32 bytes
     * @param iv {@value #IV_LENGTH} bytes, never used before under this key
     * @return as many bytes as {@code input} has
     */
    public static byte[] encrypt(byte[] key, byte[] iv, byte[] input) {
        return apply(true, key, iv, input);
    }

    /** Decrypts what {@link #encrypt} made. */
    public static byte[] decrypt(byte[] key, byte[] iv, byte[] input) {
        return apply(false, key, iv, input);
    }

    private static byte[] apply(boolean encrypt, byte[] key, byte[] iv, byte[] input) {
        if (iv.length != IV_LENGTH) {
            throw new IllegalArgumentException("AES-CFB takes 16 bytes of initial vector, not " + iv.length);
        }
        CFBModeCipher cipher = CFBBlockCipher.newInstance(AESEngine.newInstance(), FEEDBACK_BITS);
        cipher.init(encrypt, new ParametersWithIV(new KeyParameter(key), iv));
        byte[] output = new byte[input.length];
        cipher.processBytes(input, 0, input.length, output, 0);
        return output;
    }
}
