package org.vtpm.root.tpm12;

import java.security.SecureRandom;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.session.Authorization;
import org.vtpm.tpm12.session.SecretInsertion;
import org.vtpm.tpm12.structure.Adip;

/**
 * Our side of an authorization or transport session: vouches for our requests, and tells the TPM's responses from others'.
 */
final class Session {
    /** Length of a request's authorization block. */
    static final int REQUEST_BLOCK = 4 + 20 + 1 + 20;

    /** Length of a response's authorization block. */
    static final int RESPONSE_BLOCK = 20 + 1 + 20;

    private final int handle;
    private final byte[] key;
    private final boolean lasting;
    private final SecureRandom random;
    private byte[] nonceEven;
    private byte[] nonceOdd = new byte[Sha1.LENGTH];

    /**
     * @param key of the HMACs; a copy, which {@link #destroy} zeroes
     * @param nonceEven the TPM's first nonce
     * @param lasting whether it is for more than one command
     */
    Session(int handle, byte[] key, byte[] nonceEven, boolean lasting, SecureRandom random) {
        this.handle = handle;
        this.key = key;
        this.nonceEven = nonceEven;
        this.lasting = lasting;
        this.random = random;
    }

    int handle() {
        return handle;
    }

    boolean lasting() {
        return lasting;
    }

    /** Chooses our nonce for the next command. */
    void turn() {
        random.nextBytes(nonceOdd);
    }

    byte[] nonceEven() {
        return nonceEven;
    }

    byte[] nonceOdd() {
        return nonceOdd;
    }

    byte[] key() {
        return key;
    }

    /** Encrypts a new secret for the wire (TPM Main Part 1, section 8.2). Only in OSAP sessions. */
    byte[] insert(byte[] secret) {
        return SecretInsertion.apply(Adip.XOR, key, nonceEven, secret);
    }

    /** The authorization block of a request with this digest. */
    byte[] authorize(byte[] digest) {
        return new ByteWriter(REQUEST_BLOCK)
                .i32(handle)
                .bytes(nonceOdd)
                .bool(lasting)
                .bytes(Authorization.hmac(key, digest, nonceEven, nonceOdd, lasting))
                .finish();
    }

    /**
     * Whether the authorization block of a response with this digest is right: who made it knows the key, and answers the
     * last request. The TPM's nonce is a new one then.
     */
    boolean accepts(byte[] digest, byte[] block) {
        try {
            ByteReader in = new ByteReader(block);
            byte[] next = in.bytes(Sha1.LENGTH);
            boolean goesOn = in.bool();
            byte[] expected = Authorization.hmac(key, digest, next, nonceOdd, goesOn);
            if (goesOn != lasting || !Secrets.equal(expected, in.bytes(Sha1.LENGTH))) {
                return false;
            }
            nonceEven = next;
            return true;
        } catch (CodecException e) {
            return false;
        }
    }

    void destroy() {
        Secrets.zero(key);
    }
}
