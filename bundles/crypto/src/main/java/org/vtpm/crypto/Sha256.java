package org.vtpm.crypto;

import org.bouncycastle.crypto.digests.SHA256Digest;

/** SHA-256 (FIPS 180-4). Not thread-safe. */
public final class Sha256 {
    /** Length of a digest in bytes. */
    public static final int LENGTH = 32;

    private final SHA256Digest digest = new SHA256Digest();

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
        digest.update(part, 0, part.length);
        return this;
    }

    /** Appends a range of an array to the message. */
    public Sha256 update(byte[] array, int offset, int length) {
        digest.update(array, offset, length);
        return this;
    }

    /** The digest of the message; a new, empty message begins. */
    public byte[] digest() {
        byte[] out = new byte[LENGTH];
        digest.doFinal(out, 0);
        return out;
    }
}
