package org.vtpm.crypto;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 (FIPS 180-4), by the JDK: it uses the processor's own instructions, and every change of a TPM's state is hashed.
 * Not thread-safe.
 */
public final class Sha256 {
    /** Length of a digest in bytes. */
    public static final int LENGTH = 32;

    private final MessageDigest digest;

    /** Starts an empty message. */
    public Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The digest of the parts, one after the other. */
    public static byte[] of(byte[]... parts) {
        Sha256 sha256 = new Sha256();
        for (byte[] part : parts) {
            sha256.update(part);
        }
        return sha256.digest();
    }

    /** Appends to the message. */
    public Sha256 update(byte[] part) {
        digest.update(part);
        return this;
    }

    /** Appends a range of an array to the message. */
    public Sha256 update(byte[] array, int offset, int length) {
        digest.update(array, offset, length);
        return this;
    }

    /** The digest of the message; a new, empty message begins. */
    public byte[] digest() {
        return digest.digest();
    }
}
