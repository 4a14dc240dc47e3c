package org.vtpm.engine.tpm12.chapter;

import java.util.Arrays;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.DaaIssuer;
import org.vtpm.tpm12.structure.DaaTpm;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** The stages of TPM_DAA_Sign (TPM Main Part 3, section 26.2): a signature by whoever has a certificate, without saying who. */
final class DaaSign {
    static final int LAST = 15;

    private static final int SELECT_KEY = 0;
    private static final int SELECT_DIGEST = 1;
    private static final byte[] NOTHING = {};

    private DaaSign() {}

    /** A new session that knows the issuer. */
    static DaaSession begin(int handle, DaaIssuer issuer) {
        return DaaSession.initial(handle, issuer, DaaTpm.initial(0));
    }

    /** Carries out a stage after the first, and says which comes next. */
    static byte[] run(DaaStage work, int stage) {
        if (stage > 1) {
            work.requireContext(work.session().signDigest());
            work.requireIssuer();
        }
        byte[] output = output(work, stage);
        work.session(work.session().withStage(stage + 1));
        return output;
    }

    private static byte[] output(DaaStage work, int stage) {
        DaaIssuer issuer = work.session().issuer();
        return switch (stage) {
            case 1 -> credential(work);
            case 2 -> work.commitProof();
            case 3 -> work.commit(issuer.digestR1(), work.random(1));
            case 4 -> work.commit(issuer.digestS0(), work.random(2));
            case 5 -> {
                work.commit(issuer.digestS1(), work.random(4));
                yield work.commitment();
            }
            case 6 -> work.takeBase();
            case 7 -> work.pseudonym();
            case 8 -> work.commitPseudonym();
            case 9 -> work.challenge();
            case 10 -> message(work);
            case 11 -> work.proveF0();
            case 12 -> work.proveF1();
            case 13 -> proveV0(work);
            case 14 -> carryV0(work);
            case LAST -> work.proofWithCarry(4, v1(work));
            default -> throw new TpmException(ReturnCode.DAA_STAGE);
        };
    }

    private static byte[] credential(DaaStage work) {
        byte[] wrapped = DaaBlobs.unwrap(work.tx, ResourceType.DAA, work.input0());
        try {
            DaaSession session =
                    work.session().withTpmSpecific(Codec.of(DaaTpm.class).decode(wrapped));
            work.session(session.withDigestContext(session.signDigest()));
            work.requireIssuer();
            return NOTHING;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.DAA_INPUT_DATA0);
        } finally {
            Secrets.zero(wrapped);
        }
    }

    /** What is signed: a digest from outside, or an identity key of this TPM. */
    private static byte[] message(DaaStage work) {
        byte[] selector = work.input0(1);
        byte[] message = switch (selector[0]) {
            case SELECT_DIGEST -> work.input1(Sha1.LENGTH);
            case SELECT_KEY -> identity(work);
            default -> throw new TpmException(ReturnCode.DAA_INPUT_DATA0);
        };
        byte[] digest = Sha1.of(work.session().digest(), selector, message);
        work.session(work.session().withDigest(digest));
        return digest;
    }

    /** The modulus of the identity key whose handle came. */
    private static byte[] identity(DaaStage work) {
        try {
            int handle = new ByteReader(work.input1(Integer.BYTES)).i32();
            LoadedKey key = Keys.usable(work.tx, handle);
            Keys.requireUsage(key, KeyUsage.IDENTITY);
            return key.key().pubKey().key();
        } catch (TpmException | CodecException e) {
            throw new TpmException(ReturnCode.DAA_INPUT_DATA1);
        }
    }

    /** The lower part of s2 = r2 + c * v0. */
    private static byte[] proveV0(DaaStage work) {
        byte[] proof = work.proof(2, v0(work));
        byte[] lower = DaaStage.number(DaaStage.lower(proof));
        Secrets.zero(proof);
        return lower;
    }

    private static byte[] carryV0(DaaStage work) {
        byte[] proof = work.proof(2, v0(work));
        work.carry(proof);
        Secrets.zero(proof);
        return NOTHING;
    }

    private static byte[] v0(DaaStage work) {
        return unwrap(work, ResourceType.DAA_V0, work.session().tpmSpecific().digestV0());
    }

    private static byte[] v1(DaaStage work) {
        return unwrap(work, ResourceType.DAA_V1, work.session().tpmSpecific().digestV1());
    }

    /** The secret of a blob, if it is this credential's. */
    private static byte[] unwrap(DaaStage work, int resourceType, byte[] digest) {
        byte[] secret = DaaBlobs.unwrap(work.tx, resourceType, work.input0());
        if (!Arrays.equals(Sha1.of(secret), digest)) {
            Secrets.zero(secret);
            throw new TpmException(ReturnCode.DAA_INPUT_DATA0);
        }
        return secret;
    }
}
