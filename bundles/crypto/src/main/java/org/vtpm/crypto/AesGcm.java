package org.vtpm.crypto;

import java.security.GeneralSecurityException;
import java.security.Provider;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * AES-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag, by the JDK: it uses the processor's own instructions, and
 * every change of a TPM's state is sealed. A nonce must never be used twice under one key: that gives both plaintexts and the
 * authentication key away.
 */
public final class AesGcm {
    /** Length of a nonce in bytes. */
    public static final int NONCE_LENGTH = 12;
    /** Length of a tag in bytes: by so much a sealed text is longer than its plaintext. */
    public static final int TAG_LENGTH = 16;

    private static final String TRANSFORMATION = "AES/GCM/NoPadding";

    /** Looked up once: a search of all providers takes as long as a small text. */
    private static final Provider PROVIDER = provider();

    private AesGcm() {}

    private static Provider provider() {
        try {
            return Cipher.getInstance(TRANSFORMATION).getProvider();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK has no AES-GCM", e);
        }
    }

    /** A key that stays its owner's. The cipher zeroes the copy that it gets. */
    private record Key(byte[] bytes) implements SecretKey {
        private static final long serialVersionUID = 1L;

        @Override
        public String getAlgorithm() {
            return "AES";
        }

        @Override
        public String getFormat() {
            return "RAW";
        }

        @Override
        public byte[] getEncoded() {
            return bytes.clone();
        }
    }

    /**
     * Encrypts and authenticates.
     *
     * @param key 16, 24 or 32 bytes
     * @param nonce {@value #NONCE_LENGTH} bytes, never used before under this key
     * @param aad authenticated with the plaintext, but not part of the result
     * @return ciphertext followed by the tag
     */
    public static byte[] seal(byte[] key, byte[] nonce, byte[] aad, byte[] plaintext) {
        byte[] sealed = new byte[plaintext.length + TAG_LENGTH];
        try {
            cipher(Cipher.ENCRYPT_MODE, key, nonce, aad).doFinal(plaintext, 0, plaintext.length, sealed);
            return sealed;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("GCM refuses to encrypt", e);
        }
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
        byte[] plaintext = new byte[sealed.length - TAG_LENGTH];
        try {
            cipher(Cipher.DECRYPT_MODE, key, nonce, aad).doFinal(sealed, 0, sealed.length, plaintext);
            return plaintext;
        } catch (AEADBadTagException e) {
            Arrays.fill(plaintext, (byte) 0);
            throw new AuthenticationException();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("GCM refuses to decrypt", e);
        }
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce, byte[] aad) throws GeneralSecurityException {
        if (nonce.length != NONCE_LENGTH) {
            throw new IllegalArgumentException("a GCM nonce has " + NONCE_LENGTH + " bytes, not " + nonce.length);
        }
        Cipher cipher = Cipher.getInstance(TRANSFORMATION, PROVIDER);
        cipher.init(mode, new Key(key), new GCMParameterSpec(TAG_LENGTH * 8, nonce));
        cipher.updateAAD(aad);
        return cipher;
    }
}
