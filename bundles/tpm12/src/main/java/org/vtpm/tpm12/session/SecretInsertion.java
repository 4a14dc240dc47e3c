package org.vtpm.tpm12.session;

import java.util.Arrays;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.Adip;

/** The authorization data insertion protocol: how a new secret crosses the bus in a session (TPM Main Part 1, section 8.2). */
public final class SecretInsertion {
    private SecretInsertion() {}

    /**
     * Encrypts a new secret, or decrypts it: both are the same.
     *
     * @param scheme {@link Adip#XOR} or {@link Adip#AES128_CTR}
     * @param sharedSecret of the session, 20 bytes
     * @param nonce the TPM's last nonce, or for the second secret of a command the caller's
     * @param secret 20 bytes
     * @return as many; the caller zeroes them
     */
    public static byte[] apply(int scheme, byte[] sharedSecret, byte[] nonce, byte[] secret) {
        if (scheme == Adip.AES128_CTR) {
            byte[] key = Arrays.copyOf(sharedSecret, AesCtr.KEY_LENGTH);
            byte[] result = AesCtr.apply(key, Arrays.copyOf(nonce, AesCtr.COUNTER_LENGTH), secret);
            Secrets.zero(key);
            return result;
        }
        byte[] pad = Sha1.of(sharedSecret, nonce);
        for (int i = 0; i < pad.length; i++) {
            pad[i] ^= secret[i];
        }
        return pad;
    }
}
