package org.vtpm.api.bignum;

/**
 * An RSA private key in the form that Chinese remaindering needs (RFC 8017, section 3.2, second representation). All
 * values are unsigned, big-endian, of any length. The arrays are secret and belong to whoever made the record.
 *
 * @param p first prime factor
 * @param q second prime factor
 * @param dp private exponent modulo p-1
 * @param dq private exponent modulo q-1
 * @param qInv inverse of q modulo p
 */
public record RsaCrtKey(byte[] p, byte[] q, byte[] dp, byte[] dq, byte[] qInv) {
    /** Names nothing of the key. */
    @Override
    public String toString() {
        return "RsaCrtKey[secret]";
    }
}
