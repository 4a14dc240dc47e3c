package org.vtpm.root.tpm20;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Sha256;
import org.vtpm.hosttpm.PcrSet;

/**
 * What {@code seal} returns, version 1; docs/root-tpm20.md describes it byte by byte.
 *
 * @param magic {@code VTPMT20S}
 * @param version 1
 * @param endorsement name of the TPM's endorsement key, which a clear does not change; empty if it was not known
 * @param storageKey TPMT_PUBLIC of the storage key, which sessions are salted to
 * @param publicArea TPMT_PUBLIC of the sealed object
 * @param privateArea TPM2B_PRIVATE of the sealed object, without its length
 * @param pcrs bit n stands for PCR n
 * @param operatorKey SubjectPublicKeyInfo; empty if there are no PCRs
 * @param policies approved ones, the newest first
 * @param checksum SHA-256 of all before it: tells damage from a TPM that refuses
 */
record SealedBlob(
        @Fixed(8) byte[] magic,
        @U16 int version,
        @Sized(prefix = 2, max = 66) byte[] endorsement,
        @Sized(prefix = 2, max = Structures.AREA) byte[] storageKey,
        @Sized(prefix = 2, max = Structures.AREA) byte[] publicArea,
        @Sized(prefix = 2, max = Structures.AREA) byte[] privateArea,
        int pcrs,
        @Sized(prefix = 2, max = Structures.AREA) byte[] operatorKey,
        @Counted(prefix = 1, max = SealedBlob.MOST_POLICIES) List<Approved> policies,
        @Fixed(Sha256.LENGTH) byte[] checksum) {
    /** So many policies are kept. */
    static final int MOST_POLICIES = 8;

    private static final byte[] MAGIC = "VTPMT20S".getBytes(US_ASCII);
    private static final int VERSION = 1;

    /**
     * An approved policy.
     *
     * @param values of the PCRs, in ascending order of the registers
     * @param signature as the operator made it
     */
    record Approved(
            @Sized(prefix = 2, max = PcrSet.COUNT * Sha256.LENGTH)
            byte[] values,

            @Sized(prefix = 2, max = 512) byte[] signature) {}

    static SealedBlob of(
            byte[] endorsement,
            byte[] storageKey,
            byte[] publicArea,
            byte[] privateArea,
            PcrPolicy pcrs,
            byte[] operatorKey) {
        return new SealedBlob(
                MAGIC,
                VERSION,
                endorsement,
                storageKey,
                publicArea,
                privateArea,
                pcrs.bitmap(),
                operatorKey,
                List.of(),
                new byte[Sha256.LENGTH]);
    }

    /** Reads a blob, and checks all that can be checked without the TPM. */
    static SealedBlob parse(byte[] bytes) throws RootOfTrustException {
        int head = MAGIC.length + Short.BYTES;
        if (bytes.length < head || !Arrays.equals(MAGIC, Arrays.copyOf(bytes, MAGIC.length))) {
            throw new RootOfTrustException("what is to be opened was not sealed by a TPM 2.0 root of trust");
        }
        int version = ((bytes[MAGIC.length] & 0xFF) << Byte.SIZE) | (bytes[MAGIC.length + 1] & 0xFF);
        if (version != VERSION) {
            throw new RootOfTrustException("what is to be opened has version " + version
                    + " of its format, this software knows " + VERSION + ": start the software that sealed it");
        }
        try {
            int end = bytes.length - Sha256.LENGTH;
            SealedBlob blob = Codec.of(SealedBlob.class).decode(bytes);
            if (!Arrays.equals(Sha256.of(Arrays.copyOf(bytes, end)), blob.checksum())) {
                throw damaged("its checksum is wrong");
            }
            return blob.checked();
        } catch (CodecException e) {
            throw damaged(String.valueOf(e.getMessage()));
        }
    }

    byte[] encode() {
        byte[] bytes = Codec.of(SealedBlob.class).encode(this);
        int end = bytes.length - Sha256.LENGTH;
        System.arraycopy(Sha256.of(Arrays.copyOf(bytes, end)), 0, bytes, end, Sha256.LENGTH);
        return bytes;
    }

    PcrPolicy pcrPolicy() {
        return new PcrPolicy(pcrs);
    }

    /** The blob with one more policy; of several for the same values the newest stays. */
    SealedBlob with(Approved policy) {
        List<Approved> all = new ArrayList<>(policies);
        all.removeIf(each -> Arrays.equals(each.values(), policy.values()));
        all.add(0, policy);
        return with(all.subList(0, Math.min(all.size(), MOST_POLICIES)));
    }

    /** What stays the same whatever is sealed and approved. */
    byte[] terms() {
        SealedBlob bare = of(endorsement, storageKey, new byte[0], new byte[0], pcrPolicy(), operatorKey);
        return Codec.of(SealedBlob.class).encode(bare);
    }

    /** The blob with these policies, and no others. */
    SealedBlob with(List<Approved> approved) {
        return new SealedBlob(
                magic,
                version,
                endorsement,
                storageKey,
                publicArea,
                privateArea,
                pcrs,
                operatorKey,
                approved,
                checksum);
    }

    /** The storage key's public area, taken apart. */
    Structures.StoragePublic storagePublic() throws RootOfTrustException {
        try {
            return Codec.of(Structures.StoragePublic.class).decode(storageKey);
        } catch (CodecException e) {
            throw damaged("its storage key is none");
        }
    }

    private SealedBlob checked() throws RootOfTrustException {
        storagePublic();
        Structures.SealedPublic object;
        try {
            object = Codec.of(Structures.SealedPublic.class).decode(publicArea);
        } catch (CodecException e) {
            throw damaged("its object is none");
        }
        if (pcrs >>> PcrSet.COUNT != 0 || (pcrs == 0) != (operatorKey.length == 0)) {
            throw damaged("its PCRs and its operator's key do not fit");
        }
        if (pcrs == 0) {
            return checked(object, policies.isEmpty(), new byte[0]);
        }
        OperatorKey operator = OperatorKey.of(operatorKey);
        boolean signed = policies.stream()
                .allMatch(
                        each -> each.values().length == pcrPolicy().registers().length()
                                && operator.verifies(pcrPolicy().toSign(each.values()), each.signature()));
        return checked(object, signed, PcrPolicy.authorizeDigest(operator.name()));
    }

    private SealedBlob checked(Structures.SealedPublic object, boolean signed, byte[] authPolicy)
            throws RootOfTrustException {
        if (!signed) {
            throw damaged("an approved policy lacks the operator's signature");
        }
        if (!Arrays.equals(object.authPolicy(), authPolicy)) {
            throw damaged("its object is not sealed to its operator's key");
        }
        return this;
    }

    private static RootOfTrustException damaged(String how) {
        return new RootOfTrustException(
                "what is to be opened was changed or damaged (" + how + "): put back what was sealed");
    }
}
