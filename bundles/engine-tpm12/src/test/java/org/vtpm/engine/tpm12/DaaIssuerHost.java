package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaKeyGenerator;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.Sha1;

/**
 * Everybody in direct anonymous attestation but the TPM: the issuer who certifies, the host who takes the TPM through the
 * stages and makes anonymous what it says, and the verifier (E. Brickell, J. Camenisch, L. Chen: Direct Anonymous
 * Attestation). A certificate is (A, e, v) with A^e * R0^f0 * R1^f1 * S^v = Z modulo n.
 */
final class DaaIssuerHost {
    static final int COUNT = 9;
    static final byte[] MESSAGE = Sha1.of(u32(77));

    private static final int POWER_0 = 104;
    private static final int POWER_1 = 1024;
    private static final Random RANDOM = new Random(5);
    private static final Rsa RSA = new Rsa(JavaBigNumberProvider::new, new SecureRandom());

    private final BigInteger n;
    private final BigInteger phi;
    private final BigInteger s;
    private final BigInteger z;
    private final BigInteger r0;
    private final BigInteger r1;
    private final BigInteger q;
    private final BigInteger gamma;
    /** The keys that vouch for the issuer: the first is known to the host, each signs the next. */
    private final List<RsaPrivateKey> chain;

    /** Sends one stage and gives back what the TPM puts out. */
    @FunctionalInterface
    interface Stages {
        byte[] send(int stage, byte[] input0, byte[] input1);
    }

    /** What a TPM has after a join: three blobs, and for the host the open part of the certificate. */
    record Credential(byte[] tpm, byte[] v0, byte[] v1, BigInteger a, BigInteger e, byte[] w, byte[] pseudonym) {}

    /** An anonymous signature. */
    record Signature(
            BigInteger t,
            BigInteger pseudonym,
            byte[] nt,
            BigInteger c,
            BigInteger se,
            BigInteger s0,
            BigInteger s1,
            BigInteger sv,
            byte[] message) {}

    DaaIssuerHost() {
        BigInteger p = BigInteger.probablePrime(1024, RANDOM);
        BigInteger p2 = BigInteger.probablePrime(1024, RANDOM);
        n = p.multiply(p2);
        phi = p.subtract(BigInteger.ONE).multiply(p2.subtract(BigInteger.ONE));
        s = new BigInteger(2000, RANDOM).modPow(BigInteger.TWO, n);
        z = s.modPow(new BigInteger(2000, RANDOM), n);
        r0 = s.modPow(new BigInteger(2000, RANDOM), n);
        r1 = s.modPow(new BigInteger(2000, RANDOM), n);
        q = BigInteger.probablePrime(208, RANDOM);
        gamma = Stream.generate(() -> new BigInteger(815, RANDOM).setBit(815).clearBit(0))
                .map(cofactor -> q.multiply(cofactor).add(BigInteger.ONE))
                .filter(prime -> prime.isProbablePrime(40))
                .findFirst()
                .orElseThrow();
        RsaKeyGenerator keys = new RsaKeyGenerator(JavaBigNumberProvider::new, new SecureRandom());
        chain = List.of(keys.generate(2048, 65537), keys.generate(2048, 65537));
    }

    /** TPM_DAA_ISSUER. */
    byte[] settings() {
        return settings(bytes(n), bytes(gamma), q);
    }

    byte[] settings(byte[] modulus, byte[] pseudonymModulus, BigInteger order) {
        return concat(
                u16(0x2F),
                Sha1.of(r0()),
                Sha1.of(r1()),
                Sha1.of(s0()),
                Sha1.of(s1()),
                Sha1.of(modulus),
                Sha1.of(pseudonymModulus),
                bytes(order, 26));
    }

    byte[] r0() {
        return bytes(r0);
    }

    byte[] r1() {
        return bytes(r1);
    }

    byte[] s0() {
        return bytes(s);
    }

    byte[] s1() {
        return bytes(s.modPow(BigInteger.ONE.shiftLeft(POWER_1), n));
    }

    byte[] n() {
        return bytes(n);
    }

    byte[] gamma() {
        return bytes(gamma);
    }

    /** A base of pseudonyms: of order q. */
    byte[] newBase() {
        BigInteger cofactor = gamma.subtract(BigInteger.ONE).divide(q);
        return bytes(new BigInteger(1000, RANDOM).modPow(cofactor, gamma), 256);
    }

    byte[] rootKey() {
        return chain.get(0).publicKey().modulus().clone();
    }

    byte[] issuerKey() {
        return chain.get(1).publicKey().modulus().clone();
    }

    byte[] signedByRoot(byte[] data) {
        return signed(chain.get(0), data);
    }

    byte[] signedByIssuer(byte[] data) {
        return signed(chain.get(1), data);
    }

    /** Takes a TPM through stages 1 to 3: chain of keys, issuer's parameters, count. */
    void introduce(Stages join) {
        assertThat(join.send(1, rootKey(), none())).isEmpty();
        assertThat(join.send(1, issuerKey(), signedByRoot(issuerKey()))).isEmpty();
        assertThat(join.send(2, settings(), signedByIssuer(concat(Sha1.of(rootKey()), settings()))))
                .isEmpty();
        assertThat(join.send(3, u32(COUNT), none())).isEmpty();
    }

    /**
     * Takes a TPM through all stages of a join, checks its proofs and certifies it.
     *
     * @param nonce what is encrypted for its endorsement key
     * @param w the base for its pseudonym
     */
    Credential join(Stages join, byte[] nonce, byte[] encryptedNonce, byte[] w) {
        introduce(join);
        assertThat(join.send(4, r0(), n())).isEmpty();
        assertThat(join.send(5, r1(), n())).isEmpty();
        assertThat(join.send(6, s0(), n())).isEmpty();
        byte[] blinded = join.send(7, s1(), n());
        assertThat(blinded).hasSize(256);
        assertThat(join.send(8, encryptedNonce, none()))
                .isEqualTo(Sha1.of(Sha1.of(blinded, u32(COUNT), Sha1.of(rootKey())), nonce));

        assertThat(join.send(9, r0(), n())).isEmpty();
        assertThat(join.send(10, r1(), n())).isEmpty();
        assertThat(join.send(11, s0(), n())).isEmpty();
        BigInteger commitment = number(join.send(12, s1(), n()));
        assertThat(join.send(13, gamma(), w)).isEmpty();
        byte[] pseudonym = join.send(14, gamma(), none());
        BigInteger pseudonymCommitment = number(join.send(15, gamma(), none()));
        byte[] hostChallenge = Sha1.of(blinded, pseudonym);
        byte[] nt = join.send(16, hostChallenge, none());
        BigInteger s0 = number(join.send(17, none(), none()));
        BigInteger s1 = number(join.send(18, none(), none()));
        byte[] s2 = join.send(19, none(), none());
        assertThat(s2).hasSize(128);
        byte[] challenge = join.send(20, none(), none());
        assertThat(challenge).isEqualTo(Sha1.of(hostChallenge, nt));
        BigInteger sv = number(join.send(21, none(), none())).shiftLeft(POWER_1).add(number(s2));

        BigInteger u = number(blinded);
        BigInteger c = number(challenge);
        assertThat(product(n, power(u, c.negate(), n), r0.modPow(s0, n), r1.modPow(s1, n), s.modPow(sv, n)))
                .isEqualTo(commitment);
        assertThat(pseudonymCommitment(number(w), number(pseudonym), c, s0, s1)).isEqualTo(pseudonymCommitment);

        BigInteger e = BigInteger.probablePrime(368, RANDOM);
        BigInteger v = new BigInteger(2535, RANDOM).setBit(2535);
        BigInteger a = z.multiply(power(product(n, u, s.modPow(v, n)), BigInteger.ONE.negate(), n))
                .modPow(e.modInverse(phi), n);
        byte[] v0 = join.send(22, bytes(v.mod(BigInteger.ONE.shiftLeft(POWER_1)), 128), none());
        byte[] v1 = join.send(23, bytes(v.shiftRight(POWER_1), 192), none());
        return new Credential(join.send(24, none(), none()), v0, v1, a, e, w, pseudonym);
    }

    /** Has a TPM sign, and makes the certificate anonymous with a random power of S. */
    Signature sign(Stages sign, Credential credential, byte[] selector, byte[] signed, byte[] message) {
        assertThat(sign.send(1, credential.tpm(), none())).isEmpty();
        assertThat(sign.send(2, r0(), n())).isEmpty();
        assertThat(sign.send(3, r1(), n())).isEmpty();
        assertThat(sign.send(4, s0(), n())).isEmpty();
        BigInteger commitment = number(sign.send(5, s1(), n()));
        assertThat(sign.send(6, gamma(), credential.w())).isEmpty();
        BigInteger pseudonym = number(sign.send(7, gamma(), none()));
        BigInteger pseudonymCommitment = number(sign.send(8, gamma(), none()));

        BigInteger blinding = new BigInteger(2000, RANDOM);
        BigInteger re = new BigInteger(700, RANDOM);
        BigInteger rv = new BigInteger(3200, RANDOM);
        BigInteger t = product(n, credential.a(), s.modPow(blinding, n));
        BigInteger whole = product(n, commitment, t.modPow(re, n), power(s, rv.negate(), n));
        byte[] nt = sign.send(9, hostChallenge(t, whole, pseudonym, pseudonymCommitment), none());
        byte[] challenge = sign.send(10, selector, signed);
        BigInteger c = number(challenge);
        BigInteger s0 = number(sign.send(11, none(), none()));
        BigInteger s1 = number(sign.send(12, none(), none()));
        BigInteger s2 = number(sign.send(13, credential.v0(), none()));
        assertThat(sign.send(14, credential.v0(), none())).isEmpty();
        BigInteger s3 = number(sign.send(15, credential.v1(), none()));
        BigInteger se = re.add(c.multiply(credential.e()));
        BigInteger sv = s3.shiftLeft(POWER_1)
                .add(s2)
                .subtract(rv)
                .subtract(c.multiply(credential.e()).multiply(blinding));
        return new Signature(t, pseudonym, nt, c, se, s0, s1, sv, concat(selector, message));
    }

    /** What a verifier does, who knows the issuer's parameters and the base w only. */
    boolean verifies(Signature signature, byte[] w) {
        BigInteger c = signature.c();
        BigInteger whole = product(
                n,
                power(z, c.negate(), n),
                signature.t().modPow(signature.se(), n),
                r0.modPow(signature.s0(), n),
                r1.modPow(signature.s1(), n),
                power(s, signature.sv(), n));
        BigInteger pseudonymCommitment =
                pseudonymCommitment(number(w), signature.pseudonym(), c, signature.s0(), signature.s1());
        byte[] host = hostChallenge(signature.t(), whole, signature.pseudonym(), pseudonymCommitment);
        byte[] challenge = Sha1.of(Sha1.of(host, signature.nt()), signature.message());
        return number(challenge).equals(c)
                && signature.pseudonym().modPow(q, gamma).equals(BigInteger.ONE);
    }

    private BigInteger pseudonymCommitment(
            BigInteger w, BigInteger pseudonym, BigInteger c, BigInteger s0, BigInteger s1) {
        return product(gamma, power(pseudonym, c.negate(), gamma), w.modPow(s0.add(s1.shiftLeft(POWER_0)), gamma));
    }

    private byte[] hostChallenge(BigInteger t, BigInteger whole, BigInteger pseudonym, BigInteger commitment) {
        return Sha1.of(settings(), bytes(t), bytes(whole), bytes(pseudonym), bytes(commitment));
    }

    private static BigInteger product(BigInteger modulus, BigInteger... factors) {
        return Arrays.stream(factors)
                .reduce(BigInteger.ONE, (a, b) -> a.multiply(b).mod(modulus));
    }

    /** A negative exponent too. */
    private static BigInteger power(BigInteger base, BigInteger exponent, BigInteger modulus) {
        return base.modPow(exponent, modulus);
    }

    private static byte[] signed(RsaPrivateKey key, byte[] data) {
        try {
            return RSA.signSha1(key, Sha1.of(data));
        } catch (RsaException e) {
            throw new IllegalStateException(e);
        }
    }

    static BigInteger number(byte[] bytes) {
        return new BigInteger(1, bytes);
    }

    static byte[] bytes(BigInteger number) {
        return bytes(number, (number.bitLength() + 7) / 8);
    }

    static byte[] bytes(BigInteger number, int length) {
        byte[] signed = number.toByteArray();
        byte[] unsigned = new byte[length];
        int count = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - count, unsigned, length - count, count);
        return unsigned;
    }

    private static byte[] none() {
        return new byte[0];
    }
}
