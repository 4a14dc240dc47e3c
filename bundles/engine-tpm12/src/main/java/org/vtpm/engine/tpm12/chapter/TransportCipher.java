package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.AesOfb;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.engine.tpm12.structure.Algorithm;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.TpmException;
import org.vtpm.engine.tpm12.structure.TransportPublic;

/** Encryption in transport sessions (TPM Main Part 3, section 24.2, actions 4 and 17). It authenticates nothing. */
final class TransportCipher {
    private TransportCipher() {}

    /** Which way a command's data goes: request and response are encrypted differently. */
    enum Direction {
        IN,
        OUT;

        private byte[] label() {
            return (this == IN ? "in" : "out").getBytes(StandardCharsets.US_ASCII);
        }
    }

    /**
     * Refuses encryption that this TPM does not have.
     *
     * @param fips whether only approved algorithms may be used
     * @throws TpmException with BAD_KEY_PROPERTY for the algorithm, with INAPPROPRIATE_ENC for its scheme
     */
    static void requireSupported(TransportPublic pub, boolean fips) {
        switch (pub.algId()) {
            case Algorithm.MGF1 -> require(!fips && pub.encScheme() == Algorithm.ES_NONE, ReturnCode.INAPPROPRIATE_ENC);
            case Algorithm.AES128 ->
                require(
                        pub.encScheme() == Algorithm.ES_SYM_CTR || pub.encScheme() == Algorithm.ES_SYM_OFB,
                        ReturnCode.INAPPROPRIATE_ENC);
            default -> throw new TpmException(ReturnCode.BAD_KEY_PROPERTY);
        }
    }

    /**
     * Encrypts or decrypts, if the session says so.
     *
     * @param nonceEven the TPM's nonce: the last one for a request, the next one for its response
     * @param nonceOdd the guest's nonce
     * @return as many bytes as {@code data} has
     */
    static byte[] apply(TransportSession session, byte[] nonceEven, byte[] nonceOdd, Direction direction, byte[] data) {
        if (!session.encrypts()) {
            return data;
        }
        byte[] label = direction.label();
        if (session.pub().algId() == Algorithm.MGF1) {
            return xor(data, mask(data.length, nonceEven, nonceOdd, label, session.authData()));
        }
        byte[] key = Arrays.copyOf(session.authData(), AesCtr.KEY_LENGTH);
        byte[] start = mask(AesCtr.COUNTER_LENGTH, nonceEven, nonceOdd, label);
        byte[] output = session.pub().encScheme() == Algorithm.ES_SYM_CTR
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
