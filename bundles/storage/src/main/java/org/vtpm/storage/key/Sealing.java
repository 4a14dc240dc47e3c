package org.vtpm.storage.key;

import java.security.SecureRandom;
import java.util.Arrays;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;

/** AES-256-GCM as storage writes it everywhere: a fresh nonce of 12 bytes, the ciphertext, the tag of 16. */
public final class Sealing {
    /** How much longer a sealed message is than the message, in bytes. */
    public static final int OVERHEAD = AesGcm.NONCE_LENGTH + AesGcm.TAG_LENGTH;

    private Sealing() {}

    /**
     * Seals a message.
     *
     * @param key 32 bytes
     * @param aad what the message is bound to; it opens with the same only
     */
    public static byte[] seal(byte[] key, byte[] aad, byte[] message, SecureRandom random) {
        byte[] nonce = new byte[AesGcm.NONCE_LENGTH];
        random.nextBytes(nonce);
        byte[] sealed = AesGcm.seal(key, nonce, aad, message);
        byte[] joined = Arrays.copyOf(nonce, nonce.length + sealed.length);
        System.arraycopy(sealed, 0, joined, nonce.length, sealed.length);
        return joined;
    }

    /**
     * Opens what {@link #seal} made.
     *
     * @return the message; the caller zeroes it
     * @throws AuthenticationException if it was sealed with another key or for something else, or was changed
     */
    public static byte[] open(byte[] key, byte[] aad, byte[] sealed) throws AuthenticationException {
        if (sealed.length < OVERHEAD) {
            throw new AuthenticationException();
        }
        byte[] nonce = Arrays.copyOf(sealed, AesGcm.NONCE_LENGTH);
        return AesGcm.open(key, nonce, aad, Arrays.copyOfRange(sealed, nonce.length, sealed.length));
    }
}
