package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.SecretNumbers;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.DaaJoinData;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.tpm12.structure.DaaIssuer;
import org.vtpm.tpm12.structure.DaaTpm;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** The stages of TPM_DAA_Join (TPM Main Part 3, section 26.1), by which an issuer comes to certify an f that it never sees. */
final class DaaJoin {
    static final int LAST = 24;

    private static final int FIRST_WITH_ISSUER = 3;
    private static final byte[] NOTHING = {};

    private DaaJoin() {}

    /** A new session that knows how many keys vouch for the issuer. */
    static DaaSession begin(int handle, byte[] count) {
        DaaSession session = DaaSession.initial(handle, DaaIssuer.NONE, DaaTpm.initial(number(count)));
        require(session.tpmSpecific().count() != 0, ReturnCode.DAA_INPUT_DATA0);
        return session.withDigestContext(session.joinDigest());
    }

    /** Carries out a stage after the first, and says which comes next. */
    static byte[] run(DaaStage work, int stage) {
        work.requireContext(work.session().joinDigest());
        if (stage >= FIRST_WITH_ISSUER) {
            work.requireIssuer();
        }
        byte[] output = output(work, stage);
        boolean again = stage == 1 && work.session().tpmSpecific().count() != 0;
        work.session(work.session().withStage(again ? stage : stage + 1));
        return output;
    }

    private static byte[] output(DaaStage work, int stage) {
        DaaIssuer issuer = work.session().issuer();
        return switch (stage) {
            case 1 -> keyOfChain(work);
            case 2 -> issuerSettings(work);
            case 3 -> blinding(work);
            case 4 -> work.commitFirst(issuer.digestR0(), work.f0());
            case 5 -> work.commit(issuer.digestR1(), work.f1());
            case 6 ->
                work.commit(issuer.digestS0(), work.session().joinData().u0().clone());
            case 7 -> blindedSecret(work);
            case 8 -> endorse(work);
            case 9 -> work.commitProof();
            case 10 -> work.commit(issuer.digestR1(), work.random(1));
            case 11 -> work.commit(issuer.digestS0(), work.random(2));
            case 12 -> {
                work.commit(issuer.digestS1(), work.random(3));
                yield work.commitment();
            }
            case 13 -> work.takeBase();
            case 14 -> work.pseudonym();
            case 15 -> work.commitPseudonym();
            case 16 -> work.challenge();
            case 17 -> work.proveF0();
            case 18 -> work.proveF1();
            case 19 -> proveU0(work);
            case 20 -> carryU0(work);
            case 21 -> work.proofWithCarry(3, work.session().joinData().u1().clone());
            case 22 -> lowerBlinding(work);
            case 23 -> higherBlinding(work);
            case LAST -> credential(work);
            default -> throw new TpmException(ReturnCode.DAA_STAGE);
        };
    }

    /** The first key of the chain is the issuer's identity; each signs the next. */
    private static byte[] keyOfChain(DaaStage work) {
        byte[] key = work.input0(DaaStage.MODULUS_LENGTH);
        DaaSession session = work.session();
        if (session.scratch().length == 0) {
            byte[] digestN0 = Sha1.of(key);
            byte[] rekey = Sha1.of(endorsement(work).tpmDaaSeed(), digestN0);
            session = session.withJoinData(session.joinData().withDigestN0(digestN0))
                    .withTpmSpecific(session.tpmSpecific().withRekey(rekey));
        } else {
            requireSigned(work, key);
        }
        session = session.withScratch(key)
                .withTpmSpecific(
                        session.tpmSpecific().withCount(session.tpmSpecific().count() - 1));
        return settle(work, session);
    }

    /** The issuer's parameters, signed by the last key of the chain. */
    private static byte[] issuerSettings(DaaStage work) {
        DaaIssuer issuer = DaaStage.issuer(work.input0());
        DaaSession session = work.session();
        byte[] signed = new ByteWriter()
                .bytes(session.joinData().digestN0())
                .bytes(Codec.of(DaaIssuer.class).encode(issuer))
                .finish();
        requireSigned(work, signed);
        return settle(
                work,
                session.withIssuer(issuer)
                        .withTpmSpecific(session.tpmSpecific().withDigestIssuer(issuer.digest()))
                        .withoutScratch());
    }

    private static byte[] blinding(DaaStage work) {
        DaaSession session = work.session();
        int count = number(work.input0());
        return settle(
                work,
                session.withTpmSpecific(session.tpmSpecific().withCount(count))
                        .withJoinData(session.joinData()
                                .withBlinding(
                                        work.tx.environment().random(DaaJoinData.U0_LENGTH),
                                        work.tx.environment().random(DaaJoinData.U1_LENGTH))));
    }

    /** Gives out R0^f0 * R1^f1 * S0^u0 * S1^u1, which the issuer will certify. */
    private static byte[] blindedSecret(DaaStage work) {
        work.commit(
                work.session().issuer().digestS1(),
                work.session().joinData().u1().clone());
        byte[] count = new ByteWriter(Integer.BYTES)
                .i32(work.session().tpmSpecific().count())
                .finish();
        byte[] blinded = work.commitment();
        work.session(work.session()
                .withDigest(Sha1.of(blinded, count, work.session().joinData().digestN0())));
        return blinded;
    }

    /** Shows that the blinded secret comes from the TPM that has this endorsement key. */
    private static byte[] endorse(DaaStage work) {
        byte[] encrypted = work.input0(DaaStage.MODULUS_LENGTH);
        Endorsement endorsement = endorsement(work);
        byte[] nonce = Oaep.decrypt(
                work.tx.environment(), endorsement.privateKey().withPublic(endorsement.publicKey()), encrypted);
        byte[] answer = Sha1.of(work.session().digest(), nonce);
        Secrets.zero(nonce);
        work.session(work.session().withDigest(new byte[Sha1.LENGTH]));
        return answer;
    }

    /** The lower part of s2 = r2 + c * u0. */
    private static byte[] proveU0(DaaStage work) {
        byte[] proof = work.proof(2, work.session().joinData().u0().clone());
        byte[] lower = DaaStage.lower(proof);
        Secrets.zero(proof);
        return lower;
    }

    private static byte[] carryU0(DaaStage work) {
        byte[] proof = work.proof(2, work.session().joinData().u0().clone());
        work.carry(proof);
        Secrets.zero(proof);
        return work.session().digest();
    }

    /** v0 is the lower part of u0 and the issuer's share. */
    private static byte[] lowerBlinding(DaaStage work) {
        byte[] share = work.input0(DaaStage.V0_LENGTH);
        DaaSession session = work.session();
        byte[] sum = SecretNumbers.sum(share, session.joinData().u0());
        byte[] v0 = DaaStage.lower(sum);
        work.session(session.withTpmSpecific(session.tpmSpecific().withDigestV0(Sha1.of(v0))));
        work.carry(sum);
        byte[] blob = DaaBlobs.wrap(work.tx, ResourceType.DAA_V0, v0);
        Secrets.zero(sum, v0);
        settle(work, work.session());
        return blob;
    }

    /** v1 is the higher part, with what v0 carried over: 192 bytes, and an issuer that makes it more does not know the game. */
    private static byte[] higherBlinding(DaaStage work) {
        byte[] share = work.input0(DaaStage.V1_LENGTH);
        DaaSession session = work.session();
        byte[] blinding = SecretNumbers.sum(session.joinData().u1(), session.scratch());
        byte[] sum = SecretNumbers.sum(share, blinding);
        byte[] v1 = Arrays.copyOfRange(sum, sum.length - DaaStage.V1_LENGTH, sum.length);
        byte[] excess = Arrays.copyOf(sum, sum.length - DaaStage.V1_LENGTH);
        try {
            require(DaaStage.number(excess).length == 0, ReturnCode.DAA_INPUT_DATA0);
            byte[] blob = DaaBlobs.wrap(work.tx, ResourceType.DAA_V1, v1);
            settle(
                    work,
                    session.withTpmSpecific(session.tpmSpecific().withDigestV1(Sha1.of(v1)))
                            .withoutScratch());
            return blob;
        } finally {
            Secrets.zero(blinding, sum, v1, excess);
        }
    }

    private static byte[] credential(DaaStage work) {
        byte[] tpm = Codec.of(DaaTpm.class).encode(work.session().tpmSpecific());
        byte[] blob = DaaBlobs.wrap(work.tx, ResourceType.DAA, tpm);
        Secrets.zero(tpm);
        return blob;
    }

    /** Ends a stage that changed what the context's digest is about. */
    private static byte[] settle(DaaStage work, DaaSession session) {
        work.session(session.withDigestContext(session.joinDigest()));
        return NOTHING;
    }

    /** The second input must be a signature of the key in scratch. */
    private static void requireSigned(DaaStage work, byte[] signed) {
        byte[] signature = work.input1(DaaStage.MODULUS_LENGTH);
        byte[] modulus = work.session().scratch();
        require(
                modulus[0] != 0
                        && (modulus[modulus.length - 1] & 1) != 0
                        && work.tx
                                .environment()
                                .rsa()
                                .verifySha1(new RsaPublicKey(modulus, RsaPublicKey.F4), Sha1.of(signed), signature),
                ReturnCode.DAA_ISSUER_VALIDITY);
    }

    private static int number(byte[] count) {
        require(count.length == Integer.BYTES, ReturnCode.DAA_INPUT_DATA0);
        return ((count[0] & 0xFF) << 24) | ((count[1] & 0xFF) << 16) | ((count[2] & 0xFF) << 8) | (count[3] & 0xFF);
    }

    private static Endorsement endorsement(DaaStage work) {
        Endorsement endorsement = work.tx.permanent().endorsement();
        if (endorsement == null) {
            throw new TpmException(ReturnCode.NO_ENDORSEMENT);
        }
        return endorsement;
    }
}
