package org.vtpm.tpm12.session;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.AesOfb;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Secrets;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.TransportPublic;

/** Encryption in transport sessions (TPM Main Part 3, section 24.2, actions 4 and 17). It authenticates nothing. */
public final class TransportCipher {
    private TransportCipher() {}

    /** Which way a command's data goes: request and response are encrypted differently. */
    public enum Direction {
        IN,
        OUT;

        private byte[] label() {
            return (this == IN ? "in" : "out").getBytes(StandardCharsets.US_ASCII);
        }
    }

    /**
     * Encrypts or decrypts, if the session says so.
     *
     * @param pub what the session is for
     * @param authData the session's secret, 20 bytes
     * @param nonceEven the TPM's nonce: the last one for a request, the next one for its response
     * @param nonceOdd the caller's nonce
     * @return as many bytes as {@code data} has; {@code data} itself if the session does not encrypt
     */
    public static byte[] apply(
            TransportPublic pub, byte[] authData, byte[] nonceEven, byte[] nonceOdd, Direction direction, byte[] data) {
        if (!pub.has(TransportPublic.ENCRYPT)) {
            return data;
        }
        byte[] label = direction.label();
        if (pub.algId() == Algorithm.MGF1) {
            return xor(data, mask(data.length, nonceEven, nonceOdd, label, authData));
        }
        byte[] key = Arrays.copyOf(authData, AesCtr.KEY_LENGTH);
        byte[] start = mask(AesCtr.COUNTER_LENGTH, nonceEven, nonceOdd, label);
        byte[] output = pub.encScheme() == Algorithm.ES_SYM_CTR
                ? AesCtr.apply(key, start, data)
                : AesOfb.apply(key, start, data);
        Secrets.zero(key);
        return output;
    }

    private static byte[] mask(int length, byte[]... seeds) {
        ByteWriter out = new ByteWriter();
        for (byte[] part : seeds) {
            out.bytes(part);
        }
        byte[] seed = out.finish();
        byte[] mask = Mgf1.sha1(seed, length);
        Secrets.zero(seed);
        return mask;
    }

    private static byte[] xor(byte[] data, byte[] mask) {
        for (int i = 0; i < mask.length; i++) {
            mask[i] ^= data[i];
        }
        return mask;
    }
}
