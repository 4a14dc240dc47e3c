package org.vtpm.crypto;

import org.bouncycastle.crypto.digests.SHA1Digest;

/** SHA-1 (FIPS 180-4): the hash of everything in TPM 1.2. Not thread-safe. */
public final class Sha1 {
    /** Length of a digest in bytes. */
    public static final int LENGTH = 20;

    private static final int TRIAL = 256;

    private final SHA1Digest digest;

    /** Starts an empty message. */
    public Sha1() {
        this(new SHA1Digest());
    }

    private Sha1(SHA1Digest digest) {
        this.digest = digest;
    }

    /** The digest of the parts, one after the other. */
    public static byte[] of(byte[]... parts) {
        Sha1 sha1 = new Sha1();
        for (byte[] part : parts) {
            sha1.update(part);
        }
        return sha1.digest();
    }

    /** Appends to the message. */
    public Sha1 update(byte[] part) {
        digest.update(part, 0, part.length);
        return this;
    }

    /** Appends a range of an array to the message. */
    public Sha1 update(byte[] array, int offset, int length) {
        digest.update(array, offset, length);
        return this;
    }

    /** The digest of the message; a new, empty message begins. */
    public byte[] digest() {
        byte[] out = new byte[LENGTH];
        digest.doFinal(out, 0);
        return out;
    }

    /** The unfinished computation, for {@link #resume}: a TPM suspended between SHA1Start and SHA1Complete keeps it. */
    public byte[] suspend() {
        return digest.getEncodedState();
    }

    /**
     * Goes on from where {@link #suspend} left off.
     *
     * @throws IllegalArgumentException if the state did not come from {@code suspend}
     */
    public static Sha1 resume(byte[] state) {
        try {
            // The state names positions in buffers; four blocks make a position that is out of them show.
            new Sha1(new SHA1Digest(state)).update(new byte[TRIAL]).digest();
            return new Sha1(new SHA1Digest(state));
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("not the state of an unfinished SHA-1", e);
        }
    }
}
