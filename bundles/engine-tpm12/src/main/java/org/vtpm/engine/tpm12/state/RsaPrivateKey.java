package org.vtpm.engine.tpm12.state;

import java.util.function.Consumer;
import org.vtpm.api.bignum.RsaCrtKey;
import org.vtpm.codec.Sized;
import org.vtpm.tpm12.structure.Pubkey;

/**
 * An RSA private key as the state keeps it. Secret.
 *
 * @param p first prime factor
 * @param q second prime factor
 * @param dp private exponent modulo p-1
 * @param dq private exponent modulo q-1
 * @param qInv inverse of q modulo p
 */
public record RsaPrivateKey(
        @Sized(prefix = 2) byte[] p,
        @Sized(prefix = 2) byte[] q,
        @Sized(prefix = 2) byte[] dp,
        @Sized(prefix = 2) byte[] dq,
        @Sized(prefix = 2) byte[] qInv) {

    public static RsaPrivateKey of(RsaCrtKey key) {
        return new RsaPrivateKey(key.p(), key.q(), key.dp(), key.dq(), key.qInv());
    }

    /** The form that computes, with its public half. It shares the arrays. */
    public org.vtpm.crypto.RsaPrivateKey withPublic(Pubkey publicKey) {
        return new org.vtpm.crypto.RsaPrivateKey(publicKey.rsa(), new RsaCrtKey(p, q, dp, dq, qInv));
    }

    void secrets(Consumer<byte[]> visitor) {
        visitor.accept(p);
        visitor.accept(q);
        visitor.accept(dp);
        visitor.accept(dq);
        visitor.accept(qInv);
    }

    /** Names nothing of the key. */
    @Override
    public String toString() {
        return "RsaPrivateKey[secret]";
    }
}
