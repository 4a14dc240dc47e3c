package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.SecretNumbers;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.tpm12.structure.DaaIssuer;
import org.vtpm.tpm12.structure.DaaTpm;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * One stage of a DAA join or sign, with what both have in common (TPM Main Part 3, section 26, and Part 2, sections 22.1
 * and 22.2). Numbers are unsigned and big-endian; in outputs they have no leading zeros, as those of libtpms.
 *
 * <p>The secrets of a credential are f, in two parts f0 and f1, and v, in two parts v0 and v1. A proof takes a random
 * number for each (r0, r1, r2 and r3 or r4), shows R0^r0 * R1^r1 * S0^r2 * S1^r3, receives the challenge c, and shows r +
 * c times the secret.
 */
final class DaaStage {
    /** DAA_power0 in bytes: how much of f is f0. */
    private static final int F0_LENGTH = 13;

    /** DAA_power1 in bytes: the length of v0. */
    static final int V0_LENGTH = 128;

    /** DAA_SIZE_v1. */
    static final int V1_LENGTH = 192;

    /** DAA_SIZE_issuerModulus, DAA_SIZE_NE and DAA_SIZE_w. */
    static final int MODULUS_LENGTH = 256;

    private static final int NT_LENGTH = 20;

    // DAA_SIZE_r0 to DAA_SIZE_r4.
    private static final int[] R_LENGTHS = {43, 43, 128, 168, 219};

    private static final byte[] NOTHING = {};

    final Transaction tx;
    private final byte[] input0;
    private final byte[] input1;
    private DaaSession session;

    DaaStage(Transaction tx, DaaSession session, byte[] input0, byte[] input1) {
        this.tx = tx;
        this.session = session;
        this.input0 = input0;
        this.input1 = input1;
    }

    DaaSession session() {
        return session;
    }

    void session(DaaSession to) {
        session = to;
    }

    byte[] input0() {
        return input0;
    }

    byte[] input1() {
        return input1;
    }

    /** The first input, which must be of this length. */
    byte[] input0(int length) {
        require(input0.length == length, ReturnCode.DAA_INPUT_DATA0);
        return input0;
    }

    /** The second input, which must be of this length. */
    byte[] input1(int length) {
        require(input1.length == length, ReturnCode.DAA_INPUT_DATA1);
        return input1;
    }

    /** An issuer's parameters, of which none is NULL: a q of zero is no order of anything. */
    static DaaIssuer issuer(byte[] encoded) {
        try {
            DaaIssuer issuer = Codec.of(DaaIssuer.class).decode(encoded);
            require(!isZero(issuer.genericQ()), ReturnCode.DAA_INPUT_DATA0);
            return issuer;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.DAA_INPUT_DATA0);
        }
    }

    /** Refuses a session whose issuer is not the credential's. */
    void requireIssuer() {
        require(
                Secrets.equal(
                        session.tpmSpecific().digestIssuer(), session.issuer().digest()),
                ReturnCode.DAA_ISSUER_SETTINGS);
    }

    /** Refuses a session that does something else, with DAA_TPM_SETTINGS. */
    void requireContext(byte[] digest) {
        require(Secrets.equal(session.digestContext(), digest), ReturnCode.DAA_TPM_SETTINGS);
    }

    /** Begins a commitment: scratch = base^exponent mod n. The exponent is zeroed. */
    byte[] commitFirst(byte[] digestOfBase, byte[] exponent) {
        try {
            byte[] n = checkedBaseAndModulus(digestOfBase);
            byte[] power = power(input0, exponent, n);
            session = session.withScratch(toScratch(power));
            Secrets.zero(power);
            return NOTHING;
        } finally {
            Secrets.zero(exponent);
        }
    }

    /** Goes on with a commitment: scratch = scratch * base^exponent mod n. The exponent is zeroed. */
    byte[] commit(byte[] digestOfBase, byte[] exponent) {
        try {
            byte[] n = checkedBaseAndModulus(digestOfBase);
            byte[] power = power(input0, exponent, n);
            byte[] product = SecretNumbers.product(session.scratch(), power);
            byte[] remainder = SecretNumbers.remainder(product, n);
            session = session.withScratch(toScratch(remainder));
            Secrets.zero(power, product, remainder);
            return NOTHING;
        } finally {
            Secrets.zero(exponent);
        }
    }

    /** Gives out scratch, and sets it to NULL. */
    byte[] commitment() {
        byte[] commitment = session.scratch().clone();
        session = session.withoutScratch();
        return commitment;
    }

    /** Begins the commitment of a proof, with new random numbers. */
    byte[] commitProof() {
        session = session.withContextSeed(tx.environment().random(Sha1.LENGTH));
        return commitFirst(session.issuer().digestR0(), random(0));
    }

    /** Takes the base w of the pseudonym, if its order is q. */
    byte[] takeBase() {
        byte[] gamma = gamma();
        byte[] w = input1(MODULUS_LENGTH);
        byte[] one = numbers().modPow(w, session.issuer().genericQ(), gamma);
        require(isOne(one), ReturnCode.DAA_WRONG_W);
        session = session.withScratch(w);
        return NOTHING;
    }

    /** Gives out the pseudonym w^f mod gamma. */
    byte[] pseudonym() {
        byte[] gamma = gamma();
        byte[] f = f();
        byte[] pseudonym = power(session.scratch(), f, gamma);
        Secrets.zero(f);
        return number(pseudonym);
    }

    /** Gives out the commitment to the pseudonym: w^r mod gamma. */
    byte[] commitPseudonym() {
        byte[] gamma = gamma();
        byte[] r0 = random(0);
        byte[] r1 = random(1);
        byte[] shifted = Arrays.copyOf(r1, r1.length + F0_LENGTH);
        byte[] sum = SecretNumbers.sum(r0, shifted);
        byte[] r = SecretNumbers.remainder(sum, session.issuer().genericQ());
        byte[] commitment = power(session.scratch(), r, gamma);
        Secrets.zero(r0, r1, shifted, sum, r);
        session = session.withoutScratch();
        return number(commitment);
    }

    /** Gives out this TPM's share of the challenge, and joins it with the host's. */
    byte[] challenge() {
        byte[] digest = input0(Sha1.LENGTH);
        byte[] nt = tx.environment().random(NT_LENGTH);
        session = session.withDigest(Sha1.of(digest, nt));
        return nt;
    }

    /** s0 = r0 + c * f0. */
    byte[] proveF0() {
        return number(proof(0, f0()));
    }

    /** s1 = r1 + c * f1. */
    byte[] proveF1() {
        return number(proof(1, f1()));
    }

    /** The random number rN plus the challenge times a secret, which is zeroed. */
    byte[] proof(int n, byte[] secret) {
        byte[] r = random(n);
        byte[] product = SecretNumbers.product(session.digest(), secret);
        byte[] proof = SecretNumbers.sum(r, product);
        Secrets.zero(r, product, secret);
        return proof;
    }

    /** What the lower part of a proof of v carries over to the higher goes into scratch. */
    void carry(byte[] whole) {
        byte[] carry = Arrays.copyOf(whole, whole.length - V0_LENGTH);
        session = session.withScratch(toScratch(carry));
        Secrets.zero(carry);
    }

    /** A proof of the higher part of v, with what was carried over. */
    byte[] proofWithCarry(int n, byte[] secret) {
        byte[] proof = proof(n, secret);
        byte[] sum = SecretNumbers.sum(proof, session.scratch());
        session = session.withoutScratch();
        Secrets.zero(proof);
        return number(sum);
    }

    /** f mod 2^DAA_power0. */
    byte[] f0() {
        byte[] f = f();
        byte[] f0 = Arrays.copyOfRange(f, f.length - F0_LENGTH, f.length);
        Secrets.zero(f);
        return f0;
    }

    /** f shifted right by DAA_power0 bits. */
    byte[] f1() {
        byte[] f = f();
        byte[] f1 = Arrays.copyOf(f, f.length - F0_LENGTH);
        Secrets.zero(f);
        return f1;
    }

    /** The random number rN of this proof. */
    byte[] random(int n) {
        byte[] label = ("r" + n).getBytes(StandardCharsets.US_ASCII);
        byte[] seed = new ByteWriter(label.length + Sha1.LENGTH)
                .bytes(label)
                .bytes(session.contextSeed())
                .finish();
        byte[] random = Mgf1.sha1(seed, R_LENGTHS[n]);
        Secrets.zero(seed);
        return random;
    }

    /** The last {@link #V0_LENGTH} bytes. */
    static byte[] lower(byte[] number) {
        return Arrays.copyOfRange(number, number.length - V0_LENGTH, number.length);
    }

    /** Without leading zeros. */
    static byte[] number(byte[] bytes) {
        int zeros = 0;
        while (zeros < bytes.length && bytes[zeros] == 0) {
            zeros++;
        }
        return Arrays.copyOfRange(bytes, zeros, bytes.length);
    }

    /** The secret that all of a credential is about; its caller zeroes it. */
    private byte[] f() {
        DaaTpm tpm = session.tpmSpecific();
        byte[] count = new ByteWriter(Integer.BYTES).i32(tpm.count()).finish();
        byte[] high = Sha1.of(tpm.rekey(), count, new byte[] {0});
        byte[] low = Sha1.of(tpm.rekey(), count, new byte[] {1});
        byte[] both = new ByteWriter(2 * Sha1.LENGTH).bytes(high).bytes(low).finish();
        byte[] f = SecretNumbers.remainder(both, session.issuer().genericQ());
        Secrets.zero(high, low, both);
        return f;
    }

    private byte[] checkedBaseAndModulus(byte[] digestOfBase) {
        require(Arrays.equals(Sha1.of(input0), digestOfBase), ReturnCode.DAA_INPUT_DATA0);
        require(Arrays.equals(Sha1.of(input1), session.issuer().digestN()), ReturnCode.DAA_INPUT_DATA1);
        byte[] n = modulus(input1);
        require(n.length <= MODULUS_LENGTH, ReturnCode.SIZE);
        return n;
    }

    private byte[] gamma() {
        require(Arrays.equals(Sha1.of(input0), session.issuer().digestGamma()), ReturnCode.DAA_INPUT_DATA0);
        return modulus(input0);
    }

    /**
     * An issuer may be anybody: also what one has signed for can be no modulus to compute with. The code is that of
     * libtpms, which has it for all computations that fail.
     */
    private static byte[] modulus(byte[] input) {
        byte[] modulus = number(input);
        require(modulus.length > 0 && (modulus[modulus.length - 1] & 1) != 0, ReturnCode.DAA_WRONG_W);
        return modulus;
    }

    /** {@code base^exponent mod modulus}. */
    private byte[] power(byte[] base, byte[] exponent, byte[] modulus) {
        if (isZero(exponent)) {
            byte[] one = new byte[modulus.length];
            one[one.length - 1] = 1;
            return one;
        }
        return numbers().modPowSecret(base, exponent, modulus);
    }

    private BigNumberProvider numbers() {
        return tx.environment().bigNumbers().get();
    }

    private static byte[] toScratch(byte[] number) {
        byte[] scratch = new byte[DaaSession.SCRATCH_LENGTH];
        System.arraycopy(number, 0, scratch, scratch.length - number.length, number.length);
        return scratch;
    }

    private static boolean isZero(byte[] number) {
        int bits = 0;
        for (byte digit : number) {
            bits |= digit;
        }
        return bits == 0;
    }

    private static boolean isOne(byte[] number) {
        return Arrays.equals(number(number), new byte[] {1});
    }
}
