package org.vtpm.tpm12.session;

import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;

/** The digests and HMACs of OIAP, OSAP and DSAP (TPM Main Part 1, section 13). All are {@link Sha1#LENGTH} bytes. */
public final class Authorization {
    private static final byte[] SUCCESS = new byte[Integer.BYTES];

    private Authorization() {}

    /**
     * The digest of a request: ordinal and parameters.
     *
     * @param command the array that has the parameters
     * @param from where they start, behind the handles
     * @param to where they end, before the authorization blocks
     */
    public static byte[] requestDigest(int ordinal, byte[] command, int from, int to) {
        return new Sha1()
                .update(number(ordinal))
                .update(command, from, to - from)
                .digest();
    }

    /**
     * The digest of a successful response: return code, ordinal, and parameters without handles.
     *
     * @param response the array that has the parameters
     * @param from where they start
     * @param to where they end
     */
    public static byte[] responseDigest(int ordinal, byte[] response, int from, int to) {
        return new Sha1()
                .update(SUCCESS)
                .update(number(ordinal))
                .update(response, from, to - from)
                .digest();
    }

    /**
     * The HMAC in the authorization block of a request or response.
     *
     * @param key secret of the entity in OIAP, the shared secret otherwise
     * @param digest of the request or response
     * @param nonceEven the TPM's nonce: the last one for a request, the new one for its response
     * @param nonceOdd the caller's nonce
     * @param continues whether the session goes on afterwards
     */
    public static byte[] hmac(byte[] key, byte[] digest, byte[] nonceEven, byte[] nonceOdd, boolean continues) {
        return Hmac.sha1(key, digest, nonceEven, nonceOdd, new byte[] {(byte) (continues ? 1 : 0)});
    }

    /**
     * The shared secret of an OSAP or DSAP session.
     *
     * @param secret of the entity that the session is for
     */
    public static byte[] sharedSecret(byte[] secret, byte[] nonceEvenOsap, byte[] nonceOddOsap) {
        return Hmac.sha1(secret, nonceEvenOsap, nonceOddOsap);
    }

    private static byte[] number(int value) {
        return new ByteWriter(Integer.BYTES).i32(value).finish();
    }
}
