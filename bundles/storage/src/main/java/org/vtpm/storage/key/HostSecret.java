package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Hkdf;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;

/**
 * The secret that roots of trust release, from which all keys of the storage come: one that seals the {@link KeyRing},
 * another that authenticates the journal, and a public name that tells one secret from another. Each is derived on its
 * own, so that none tells of the others. It is in memory only while one of these is needed.
 */
public final class HostSecret implements AutoCloseable {
    /** Length of the secret in bytes. */
    public static final int LENGTH = 32;

    /** Length of {@link #id} in bytes. */
    public static final int ID_LENGTH = 8;

    private final byte[] secret;

    private HostSecret(byte[] secret) {
        this.secret = secret;
    }

    /** A new secret. */
    public static HostSecret random(SecureRandom random) {
        byte[] secret = new byte[LENGTH];
        random.nextBytes(secret);
        return new HostSecret(secret);
    }

    /**
     * A secret that was released.
     *
     * @param secret becomes this object's
     * @throws IllegalArgumentException if it has another length
     */
    public static HostSecret of(byte[] secret) {
        if (secret.length != LENGTH) {
            throw new IllegalArgumentException("a host secret has " + LENGTH + " bytes, not " + secret.length);
        }
        return new HostSecret(secret);
    }

    /** The public name of this secret. */
    public byte[] id() {
        return derive("vtpm storage 2: identity", ID_LENGTH);
    }

    /** Whether this is the secret of a name. */
    public boolean hasId(byte[] id) {
        return Arrays.equals(id(), id);
    }

    /** The key that authenticates the journal, 32 bytes; the caller zeroes it. */
    public byte[] chainKey() {
        return derive("vtpm storage 2: chain of the journal", 32);
    }

    /** Authenticates the terms on which a root of trust sealed this secret: 32 bytes. */
    byte[] tagOf(String root, byte[] terms) {
        byte[] key = derive("vtpm storage 2: terms of roots of trust", 32);
        try {
            byte[] name = root.getBytes(UTF_8);
            byte[] length =
                    ByteBuffer.allocate(Integer.BYTES).putInt(name.length).array();
            return Hmac.sha256(key, length, name, terms);
        } finally {
            Secrets.zero(key);
        }
    }

    /** The secret itself, for who seals it; the caller zeroes it. */
    byte[] copy() {
        return secret.clone();
    }

    /** The same secret for another user, who closes it. */
    public HostSecret duplicate() {
        return new HostSecret(copy());
    }

    /** Seals with a fresh nonce, which stands before the ciphertext. */
    byte[] seal(byte[] plaintext, byte[] aad, SecureRandom random) {
        byte[] key = ringKey();
        try {
            return Sealing.seal(key, aad, plaintext, random);
        } finally {
            Secrets.zero(key);
        }
    }

    /** Opens what {@link #seal} made. */
    byte[] open(byte[] sealed, byte[] aad) throws AuthenticationException {
        byte[] key = ringKey();
        try {
            return Sealing.open(key, aad, sealed);
        } finally {
            Secrets.zero(key);
        }
    }

    @Override
    public void close() {
        Secrets.zero(secret);
    }

    private byte[] ringKey() {
        return derive("vtpm storage 2: sealing of the key ring", 32);
    }

    private byte[] derive(String purpose, int length) {
        return Hkdf.sha256(secret, new byte[0], purpose.getBytes(US_ASCII), length);
    }
}
