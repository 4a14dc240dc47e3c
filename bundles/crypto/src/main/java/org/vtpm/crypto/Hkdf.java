package org.vtpm.crypto;

import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.params.HKDFParameters;

/** HKDF with SHA-256 (RFC 5869): several independent keys from one secret. */
public final class Hkdf {
    private Hkdf() {}

    /**
     * Extracts and expands.
     *
     * @param secret input keying material of full entropy; a password is not
     * @param salt may be empty
     * @param info what the key is for: another purpose gives another key
     * @param length of the key in bytes, at most 8160
     */
    public static byte[] sha256(byte[] secret, byte[] salt, byte[] info, int length) {
        HKDFBytesGenerator generator = new HKDFBytesGenerator(new SHA256Digest());
        generator.init(new HKDFParameters(secret, salt, info));
        byte[] key = new byte[length];
        generator.generateBytes(key, 0, length);
        return key;
    }
}
