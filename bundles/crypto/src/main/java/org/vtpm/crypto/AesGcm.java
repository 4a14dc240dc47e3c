package org.vtpm.crypto;

import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.modes.GCMModeCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;

/**
 * AES-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag. A nonce must never be used twice under one key: that
 * gives both plaintexts and the authentication key away.
 */
public final class AesGcm {
    /** Length of a nonce in bytes. */
    public static final int NONCE_LENGTH = 12;
    /** Length of a tag in bytes: by so much a sealed text is longer than its plaintext. */
    public static final int TAG_LENGTH = 16;

    private AesGcm() {}

    /**
     * Encrypts and authenticates.
     *
     * @param key 16, 24 or 32 bytes
     * @param nonce {@value #NONCE_LENGTH} bytes, never used before under this key
     * @param aad authenticated with the plaintext, but not part of the result
     * @return ciphertext followed by the tag
     */
    public static byte[] seal(byte[] key, byte[] nonce, byte[] aad, byte[] plaintext) {
        GCMModeCipher cipher = cipher(true, key, nonce, aad);
        byte[] sealed = new byte[plaintext.length + TAG_LENGTH];
        int written = cipher.processBytes(plaintext, 0, plaintext.length, sealed, 0);
        try {
            cipher.doFinal(sealed, written);
        } catch (InvalidCipherTextException e) {
            throw new IllegalStateException("GCM refuses to encrypt", e);
        }
        return sealed;
    }

    /**
     * Checks and decrypts what {@link #seal} made of the same key, nonce and {@code aad}.
     *
     * @return the plaintext; the caller zeroes it if it is secret
     * @throws AuthenticationException if any of it differs or is cut short
     */
    public static byte[] open(byte[] key, byte[] nonce, byte[] aad, byte[] sealed) throws AuthenticationException {
        if (sealed.length < TAG_LENGTH) {
            throw new AuthenticationException();
        }
        GCMModeCipher cipher = cipher(false, key, nonce, aad);
        byte[] plaintext = new byte[sealed.length - TAG_LENGTH];
        try {
            int written = cipher.processBytes(sealed, 0, sealed.length, plaintext, 0);
            cipher.doFinal(plaintext, written);
            return plaintext;
        } catch (InvalidCipherTextException e) {
            Secrets.zero(plaintext);
            throw new AuthenticationException();
        }
    }

    private static GCMModeCipher cipher(boolean encrypt, byte[] key, byte[] nonce, byte[] aad) {
        if (nonce.length != NONCE_LENGTH) {
            throw new IllegalArgumentException("a GCM nonce has " + NONCE_LENGTH + " bytes, not " + nonce.length);
        }
        GCMModeCipher cipher = GCMBlockCipher.newInstance(AESEngine.newInstance());
        cipher.init(encrypt, new AEADParameters(new KeyParameter(key), TAG_LENGTH * 8, nonce, aad));
        return cipher;
    }
}
