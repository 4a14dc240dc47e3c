package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.unsigned;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Everybody in direct anonymous attestation but the TPM: the issuer who certifies, the host, and the verifier (E. Brickell,
 * J. Camenisch, L. Chen: Direct Anonymous Attestation). A certificate is (A, e, v) with
 * A^e * R0^f0 * R1^f1 * S^v = Z modulo n. All numbers are the same in every run.
 */
final class DaaIssuer {
    static final int COUNT = 9;

    private static final int NO_ENCRYPTION = 1;
    private static final int SIGN_SHA1 = 2;
    private static final int POWER_0 = 104;
    private static final int POWER_1 = 1024;
    private static final BigInteger TWO_POWER_1 = BigInteger.ONE.shiftLeft(POWER_1);

    /** The key that the host knows, and the issuer's, which it signs. */
    private static final SoftKey ROOT = SoftKey.of(31, 2048, NO_ENCRYPTION, SIGN_SHA1);

    private static final SoftKey ISSUER = SoftKey.of(32, 2048, NO_ENCRYPTION, SIGN_SHA1);

    private final Random random = new Random(33);
    private final SoftKey group = SoftKey.of(34, 2048, NO_ENCRYPTION, SIGN_SHA1);
    private final BigInteger n = group.modulus();
    private final BigInteger s = number(2000).modPow(BigInteger.TWO, n);
    private final BigInteger z = s.modPow(number(2000), n);
    private final BigInteger r0 = s.modPow(number(2000), n);
    private final BigInteger r1 = s.modPow(number(2000), n);
    private final BigInteger q = BigInteger.probablePrime(208, random);
    private final BigInteger gamma = Stream.generate(
                    () -> number(815).setBit(815).clearBit(0))
            .map(cofactor -> q.multiply(cofactor).add(BigInteger.ONE))
            .filter(prime -> prime.isProbablePrime(40))
            .findFirst()
            .orElseThrow();
    private final BigInteger w =
            number(1000).modPow(gamma.subtract(BigInteger.ONE).divide(q), gamma);

    /** What the host keeps of a certificate. */
    record Certificate(BigInteger a, BigInteger e, byte[] v0, byte[] v1) {}

    /** What the host hides a certificate with for one signature: A * S^blinding, with numbers for the proof. */
    record Hidden(BigInteger t, BigInteger blinding, BigInteger re, BigInteger rv) {}

    private BigInteger number(int bits) {
        return new BigInteger(bits, random);
    }

    /** TPM_DAA_ISSUER (TPM Main Part 2, section 22.3). */
    byte[] settings() {
        return concat(
                u16(0x2F), sha1(r0()), sha1(r1()), sha1(s0()), sha1(s1()), sha1(n()), sha1(gamma()), fixed(q, 26));
    }

    byte[] settingsSigned() {
        return ISSUER.sign(sha1(sha1(rootKey()), settings()));
    }

    byte[] rootKey() {
        return unsigned(ROOT.modulus());
    }

    byte[] issuerKey() {
        return unsigned(ISSUER.modulus());
    }

    byte[] issuerKeySigned() {
        return ROOT.sign(sha1(issuerKey()));
    }

    byte[] r0() {
        return unsigned(r0);
    }

    byte[] r1() {
        return unsigned(r1);
    }

    byte[] s0() {
        return unsigned(s);
    }

    byte[] s1() {
        return unsigned(s.modPow(TWO_POWER_1, n));
    }

    byte[] n() {
        return unsigned(n);
    }

    byte[] gamma() {
        return unsigned(gamma);
    }

    /** The base of pseudonyms. */
    byte[] w() {
        return fixed(w, 256);
    }

    /** What a TPM answers in stage 8 to a nonce that was encrypted for its endorsement key. */
    byte[] endorsed(byte[] blinded, byte[] nonce) {
        return sha1(sha1(blinded, u32(COUNT), sha1(rootKey())), nonce);
    }

    /** Whether the proofs of a join hold: of what it committed to, and of its pseudonym. */
    boolean joined(
            byte[] blinded,
            byte[] commitment,
            byte[] pseudonym,
            byte[] pseudonymCommitment,
            byte[] challenge,
            byte[] s0,
            byte[] s1,
            byte[] s2,
            byte[] s3) {
        BigInteger c = of(challenge);
        BigInteger whole = product(
                n,
                of(blinded).modPow(c.negate(), n),
                r0.modPow(of(s0), n),
                r1.modPow(of(s1), n),
                s.modPow(of(s3).shiftLeft(POWER_1).add(of(s2)), n));
        return whole.equals(of(commitment))
                && pseudonymCommitment(of(pseudonym), c, of(s0), of(s1)).equals(of(pseudonymCommitment));
    }

    /** Certifies what a TPM blinded. */
    Certificate certify(byte[] blinded) {
        BigInteger e = BigInteger.probablePrime(368, random);
        BigInteger v = number(2535).setBit(2535);
        BigInteger phi = group.prime()
                .subtract(BigInteger.ONE)
                .multiply(n.divide(group.prime()).subtract(BigInteger.ONE));
        BigInteger a = z.multiply(product(n, of(blinded), s.modPow(v, n)).modInverse(n))
                .modPow(e.modInverse(phi), n);
        return new Certificate(a, e, fixed(v.mod(TWO_POWER_1), POWER_1 / Byte.SIZE), fixed(v.shiftRight(POWER_1), 192));
    }

    /** Makes a certificate anonymous. */
    Hidden hide(Certificate certificate) {
        BigInteger blinding = number(2000);
        return new Hidden(product(n, certificate.a(), s.modPow(blinding, n)), blinding, number(700), number(3200));
    }

    /** The host's challenge in a signature. */
    byte[] challenge(Hidden hidden, byte[] commitment, byte[] pseudonym, byte[] pseudonymCommitment) {
        BigInteger whole = product(
                n,
                of(commitment),
                hidden.t().modPow(hidden.re(), n),
                s.modPow(hidden.rv().negate(), n));
        return challenge(hidden.t(), whole, of(pseudonym), of(pseudonymCommitment));
    }

    private byte[] challenge(BigInteger t, BigInteger whole, BigInteger pseudonym, BigInteger commitment) {
        return sha1(settings(), unsigned(t), unsigned(whole), unsigned(pseudonym), unsigned(commitment));
    }

    /** Whether a signature is one: what a verifier does. */
    boolean verifies(
            Hidden hidden,
            Certificate certificate,
            byte[] pseudonym,
            byte[] nt,
            byte[] challenge,
            byte[] s0,
            byte[] s1,
            byte[] s2,
            byte[] s3,
            byte[] message) {
        BigInteger c = of(challenge);
        BigInteger se = hidden.re().add(c.multiply(certificate.e()));
        BigInteger sv = of(s3).shiftLeft(POWER_1)
                .add(of(s2))
                .subtract(hidden.rv())
                .subtract(c.multiply(certificate.e()).multiply(hidden.blinding()));
        BigInteger whole = product(
                n,
                z.modPow(c.negate(), n),
                hidden.t().modPow(se, n),
                r0.modPow(of(s0), n),
                r1.modPow(of(s1), n),
                s.modPow(sv, n));
        byte[] host =
                challenge(hidden.t(), whole, of(pseudonym), pseudonymCommitment(of(pseudonym), c, of(s0), of(s1)));
        return Arrays.equals(sha1(sha1(host, nt), message), challenge)
                && of(pseudonym).modPow(q, gamma).equals(BigInteger.ONE);
    }

    private BigInteger pseudonymCommitment(BigInteger pseudonym, BigInteger c, BigInteger s0, BigInteger s1) {
        return product(gamma, pseudonym.modPow(c.negate(), gamma), w.modPow(s0.add(s1.shiftLeft(POWER_0)), gamma));
    }

    private static BigInteger product(BigInteger modulus, BigInteger... factors) {
        return Arrays.stream(factors)
                .reduce(BigInteger.ONE, (a, b) -> a.multiply(b).mod(modulus));
    }

    private static BigInteger of(byte[] bytes) {
        return new BigInteger(1, bytes);
    }

    private static byte[] fixed(BigInteger number, int length) {
        byte[] bytes = unsigned(number);
        return concat(new byte[length - bytes.length], bytes);
    }
}
