package org.vtpm.crypto;

import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.CBCBlockCipher;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;

/** AES in cipher block chaining mode (NIST SP 800-38A) without padding. Authenticates nothing. */
public final class AesCbc {
    /** Length of a block, and of an initial vector, in bytes. */
    public static final int BLOCK = 16;

    private AesCbc() {}

    /**
     * Decrypts.
     *
     * @param key 16, 24 or 32 bytes
     * @param iv {@value #BLOCK} bytes
     * @param input whole blocks
     * @return as many bytes as {@code input} has
     */
    public static byte[] decrypt(byte[] key, byte[] iv, byte[] input) {
        if (input.length % BLOCK != 0) {
            throw new IllegalArgumentException("AES-CBC decrypts whole blocks, not " + input.length + " bytes");
        }
        var cipher = CBCBlockCipher.newInstance(AESEngine.newInstance());
        cipher.init(false, new ParametersWithIV(new KeyParameter(key), iv));
        byte[] output = new byte[input.length];
        for (int at = 0; at < input.length; at += BLOCK) {
            cipher.processBlock(input, at, output, at);
        }
        return output;
    }
}
