package org.vtpm.crypto;

import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.CTRModeCipher;
import org.bouncycastle.crypto.modes.SICBlockCipher;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;

/**
 * AES-128 in counter mode (NIST SP 800-38A), where all 16 bytes of the counter count, big-endian: TPM_ES_SYM_CTR and
 * TPM_ALG_AES128 (TPM Main Part 1, section 8.1 and Part 2, section 4.8). Encrypts and decrypts alike, authenticates nothing.
 */
public final class AesCtr {
    /** Length of a key in bytes. */
    public static final int KEY_LENGTH = 16;
    /** Length of a counter in bytes. */
    public static final int COUNTER_LENGTH = 16;

    private AesCtr() {}

    /**
     * Encrypts or decrypts.
     *
     * @param key {@value #KEY_LENGTH} bytes
     * @param counter {@value #COUNTER_LENGTH} bytes: the counter of the first block
     * @return as many bytes as {@code input} has
     */
    public static byte[] apply(byte[] key, byte[] counter, byte[] input) {
        if (key.length != KEY_LENGTH || counter.length != COUNTER_LENGTH) {
            throw new IllegalArgumentException("AES-128-CTR takes 16 bytes of key and 16 of counter, not " + key.length
                    + " and " + counter.length);
        }
        CTRModeCipher cipher = SICBlockCipher.newInstance(AESEngine.newInstance());
        cipher.init(true, new ParametersWithIV(new KeyParameter(key), counter));
        byte[] output = new byte[input.length];
        cipher.processBytes(input, 0, input.length, output, 0);
        return output;
    }
}
