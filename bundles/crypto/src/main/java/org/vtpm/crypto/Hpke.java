package org.vtpm.crypto;

import java.util.Arrays;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.hpke.HPKE;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;

/**
 * Seals to the holder of a private key: hybrid public key encryption (RFC 9180) in base mode with DHKEM(X25519,
 * HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. A key pair is derived from a seed, so that the seed alone has to be kept.
 */
public final class Hpke {
    /** Length of a public key, and of what stands before the ciphertext in a sealed message, in bytes. */
    public static final int PUBLIC_KEY_LENGTH = 32;

    /** Length of a seed in bytes, at least. */
    public static final int SEED_LENGTH = 32;

    private Hpke() {}

    /**
     * The public key that belongs to a seed.
     *
     * @param seed at least {@value #SEED_LENGTH} random bytes; stays the caller's
     */
    public static byte[] publicKey(byte[] seed) {
        HPKE suite = suite();
        return suite.serializePublicKey(suite.deriveKeyPair(seed).getPublic());
    }

    /**
     * Seals a message.
     *
     * @param info what the message is for; it opens with the same only
     * @return the encapsulated key, {@value #PUBLIC_KEY_LENGTH} bytes, and the ciphertext with its tag of 16
     * @throws IllegalArgumentException if the public key is none
     */
    public static byte[] seal(byte[] publicKey, byte[] info, byte[] message) {
        HPKE suite = suite();
        try {
            AsymmetricKeyParameter key = suite.deserializePublicKey(publicKey);
            byte[][] sealed = suite.seal(key, info, new byte[0], message, null, null, null);
            byte[] joined = Arrays.copyOf(sealed[1], sealed[1].length + sealed[0].length);
            System.arraycopy(sealed[0], 0, joined, sealed[1].length, sealed[0].length);
            return joined;
        } catch (InvalidCipherTextException | IllegalStateException e) {
            throw new IllegalArgumentException("not a public key on X25519", e);
        }
    }

    /**
     * Opens what {@link #seal} made.
     *
     * @return the message; the caller zeroes it
     * @throws AuthenticationException if it was sealed to another key or for something else, or was changed
     */
    public static byte[] open(byte[] seed, byte[] info, byte[] sealed) throws AuthenticationException {
        if (sealed.length < PUBLIC_KEY_LENGTH + AesGcm.TAG_LENGTH) {
            throw new AuthenticationException();
        }
        HPKE suite = suite();
        byte[] encapsulated = Arrays.copyOf(sealed, PUBLIC_KEY_LENGTH);
        byte[] ciphertext = Arrays.copyOfRange(sealed, PUBLIC_KEY_LENGTH, sealed.length);
        try {
            return suite.open(encapsulated, suite.deriveKeyPair(seed), info, new byte[0], ciphertext, null, null, null);
        } catch (InvalidCipherTextException | IllegalStateException | IllegalArgumentException e) {
            throw new AuthenticationException();
        }
    }

    private static HPKE suite() {
        return new HPKE(HPKE.mode_base, HPKE.kem_X25519_SHA256, HPKE.kdf_HKDF_SHA256, HPKE.aead_AES_GCM256);
    }
}
