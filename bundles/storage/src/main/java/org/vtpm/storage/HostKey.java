package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Hkdf;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;

/**
 * What the secret that a root of trust released is used for: a key that wraps data keys, another that authenticates
 * records, and a public name that tells one host key from another. Each is derived on its own, so that none tells of the
 * others.
 */
final class HostKey implements AutoCloseable {
    /** Length of the secret in bytes. */
    static final int SECRET_LENGTH = 32;
    /** Length of {@link #id} in bytes. */
    static final int ID_LENGTH = 8;
    /** Length of {@link #recordTag} in bytes. */
    static final int TAG_LENGTH = 32;

    private final byte[] wrapping;
    private final byte[] records;
    private final byte[] id;

    /** Derives the keys; the secret stays the caller's, to be zeroed. */
    HostKey(byte[] secret) {
        wrapping = derive(secret, "vtpm storage 1: wrapping of data keys", 32);
        records = derive(secret, "vtpm storage 1: authentication of records", 32);
        id = derive(secret, "vtpm storage 1: identity", ID_LENGTH);
    }

    /** Names this key in files; tells nothing of it. */
    byte[] id() {
        return id.clone();
    }

    /** Whether a file that carries this name was made under this key. */
    boolean hasId(byte[] other) {
        return Arrays.equals(id, other);
    }

    byte[] wrap(byte[] dataKey, byte[] nonce, byte[] aad) {
        return AesGcm.seal(wrapping, nonce, aad, dataKey);
    }

    /** The data key; the caller zeroes it. */
    byte[] unwrap(byte[] wrapped, byte[] nonce, byte[] aad) throws AuthenticationException {
        return AesGcm.open(wrapping, nonce, aad, wrapped);
    }

    byte[] recordTag(byte[] content) {
        return Hmac.sha256(records, content);
    }

    @Override
    public void close() {
        Secrets.zero(wrapping, records);
    }

    private static byte[] derive(byte[] secret, String purpose, int length) {
        return Hkdf.sha256(secret, new byte[0], purpose.getBytes(US_ASCII), length);
    }
}
