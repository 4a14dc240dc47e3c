package org.vtpm.engine.tpm12.state;

import java.util.function.Consumer;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.DaaIssuer;
import org.vtpm.tpm12.structure.DaaTpm;

/**
 * A DAA join or sign that is under way: TPM_DAA_CONTEXT (TPM Main Part 2, section 22.5) with what it works on.
 *
 * @param stage the one that comes next
 * @param digestContext ties a join to a join and a sign to a sign: see {@link #joinDigest} and {@link #signDigest}
 * @param digest commitments so far, and finally the challenge c
 * @param contextSeed secret: the random values of the proof follow from it
 * @param scratch intermediate value of 256 bytes; empty if it is NULL
 */
public record DaaSession(
        int handle,
        @U8 int stage,
        DaaIssuer issuer,
        DaaTpm tpmSpecific,
        DaaJoinData joinData,
        @Fixed(20) byte[] digestContext,
        @Fixed(20) byte[] digest,
        @Fixed(20) byte[] contextSeed,
        @Sized(max = SCRATCH_LENGTH) byte[] scratch) {
    public static final int SCRATCH_LENGTH = 256;

    private static final byte[] NULL = {};

    /** Before the first stage that does something. */
    public static DaaSession initial(int handle, DaaIssuer issuer, DaaTpm tpmSpecific) {
        return new DaaSession(
                handle,
                1,
                issuer,
                tpmSpecific,
                DaaJoinData.initial(),
                new byte[Sha1.LENGTH],
                new byte[Sha1.LENGTH],
                new byte[Sha1.LENGTH],
                NULL);
    }

    public DaaSession withHandle(int to) {
        return new DaaSession(to, stage, issuer, tpmSpecific, joinData, digestContext, digest, contextSeed, scratch);
    }

    public DaaSession withStage(int to) {
        return new DaaSession(handle, to, issuer, tpmSpecific, joinData, digestContext, digest, contextSeed, scratch);
    }

    public DaaSession withIssuer(DaaIssuer to) {
        return new DaaSession(handle, stage, to, tpmSpecific, joinData, digestContext, digest, contextSeed, scratch);
    }

    public DaaSession withTpmSpecific(DaaTpm to) {
        return new DaaSession(handle, stage, issuer, to, joinData, digestContext, digest, contextSeed, scratch);
    }

    public DaaSession withJoinData(DaaJoinData to) {
        return new DaaSession(handle, stage, issuer, tpmSpecific, to, digestContext, digest, contextSeed, scratch);
    }

    public DaaSession withDigestContext(byte[] to) {
        return new DaaSession(handle, stage, issuer, tpmSpecific, joinData, to, digest, contextSeed, scratch);
    }

    public DaaSession withDigest(byte[] to) {
        return new DaaSession(handle, stage, issuer, tpmSpecific, joinData, digestContext, to, contextSeed, scratch);
    }

    public DaaSession withContextSeed(byte[] to) {
        return new DaaSession(handle, stage, issuer, tpmSpecific, joinData, digestContext, digest, to, scratch);
    }

    public DaaSession withScratch(byte[] to) {
        return new DaaSession(handle, stage, issuer, tpmSpecific, joinData, digestContext, digest, contextSeed, to);
    }

    public DaaSession withoutScratch() {
        return withScratch(NULL);
    }

    /** What digestContext is in a join: SHA-1 over TPM_DAA_TPM and TPM_DAA_JOINDATA. */
    public byte[] joinDigest() {
        byte[] tpm = Codec.of(DaaTpm.class).encode(tpmSpecific);
        byte[] join = Codec.of(DaaJoinData.class).encode(joinData);
        byte[] sum = Sha1.of(tpm, join);
        Secrets.zero(tpm, join);
        return sum;
    }

    /** What digestContext is in a sign: SHA-1 over TPM_DAA_TPM. */
    public byte[] signDigest() {
        byte[] tpm = Codec.of(DaaTpm.class).encode(tpmSpecific);
        byte[] sum = Sha1.of(tpm);
        Secrets.zero(tpm);
        return sum;
    }

    void secrets(Consumer<byte[]> visitor) {
        visitor.accept(tpmSpecific.rekey());
        visitor.accept(joinData.u0());
        visitor.accept(joinData.u1());
        visitor.accept(contextSeed);
        visitor.accept(scratch);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "DaaSession[0x" + Integer.toHexString(handle) + ", stage " + stage + "]";
    }
}
