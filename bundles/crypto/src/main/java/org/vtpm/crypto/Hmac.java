package org.vtpm.crypto;

import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA1Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/** HMAC (RFC 2104) over several parts. Compare results with {@link Secrets#equal}. */
public final class Hmac {
    private Hmac() {}

    /** HMAC-SHA-1, 20 bytes: the authorisation of TPM 1.2. */
    public static byte[] sha1(byte[] key, byte[]... parts) {
        return compute(new SHA1Digest(), key, parts);
    }

    /** HMAC-SHA-256, 32 bytes. */
    public static byte[] sha256(byte[] key, byte[]... parts) {
        return compute(new SHA256Digest(), key, parts);
    }

    private static byte[] compute(Digest digest, byte[] key, byte[]... parts) {
        HMac mac = new HMac(digest);
        mac.init(new KeyParameter(key));
        for (byte[] part : parts) {
            mac.update(part, 0, part.length);
        }
        byte[] out = new byte[mac.getMacSize()];
        mac.doFinal(out, 0);
        return out;
    }
}
