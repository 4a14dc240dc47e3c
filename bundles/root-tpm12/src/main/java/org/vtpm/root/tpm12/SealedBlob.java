package org.vtpm.root.tpm12;

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
import org.vtpm.crypto.Sha1;
import org.vtpm.crypto.Sha256;
import org.vtpm.crypto.VerificationKey;
import org.vtpm.hosttpm.PcrSet;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.StoredData;
import org.vtpm.tpm12.structure.TpmException;

/**
 * What {@code seal} returns, version 1; docs/root-tpm12.md describes it byte by byte.
 *
 * @param magic {@code VTPMT12S}
 * @param version 1
 * @param endorsement SHA-1 of the endorsement key's TPM_PUBKEY; empty if it was not known
 * @param srk modulus of the storage root key
 * @param pcrs bit n stands for PCR n
 * @param operatorKey SubjectPublicKeyInfo; empty if there are no PCRs
 * @param copies of the secret, each for other values of the PCRs, the newest first; exactly one if there are no PCRs
 * @param checksum SHA-256 of all before it: tells damage from a TPM that refuses
 */
record SealedBlob(
        @Fixed(8) byte[] magic,
        @U16 int version,
        @Sized(prefix = 2, max = Sha1.LENGTH) byte[] endorsement,
        @Fixed(StorageRootKey.LENGTH) byte[] srk,
        int pcrs,
        @Sized(prefix = 2, max = 1024) byte[] operatorKey,
        @Counted(prefix = 1, max = SealedBlob.MOST_COPIES) List<Copy> copies,
        @Fixed(Sha256.LENGTH) byte[] checksum) {
    /** So many copies are kept. */
    static final int MOST_COPIES = 8;

    private static final byte[] MAGIC = "VTPMT12S".getBytes(US_ASCII);
    private static final int VERSION = 1;
    private static final byte[] NONE = {};

    /**
     * The secret, sealed for one approved state.
     *
     * @param values of the PCRs, in ascending order of the registers
     * @param signature of the operator's key over that state; empty if there are no PCRs
     * @param data what TPM_Seal returned
     */
    record Copy(
            @Sized(prefix = 2, max = PcrSet.COUNT * Sha1.LENGTH)
            byte[] values,

            @Sized(prefix = 2, max = 512) byte[] signature,
            @Sized(prefix = 2, max = 1024) StoredData data) {
        /** The secret, sealed for any state. */
        static Copy ofAnyState(StoredData data) {
            return new Copy(NONE, NONE, data);
        }
    }

    static SealedBlob of(StorageRootKey key, Pcrs pcrs, byte[] operatorKey, List<Copy> copies) {
        return new SealedBlob(
                MAGIC,
                VERSION,
                key.endorsement(),
                key.modulus(),
                pcrs.bitmap(),
                operatorKey,
                copies,
                new byte[Sha256.LENGTH]);
    }

    /** Reads a blob, and checks all that can be checked without the TPM. */
    static SealedBlob parse(byte[] bytes) throws RootOfTrustException {
        int head = MAGIC.length + Short.BYTES;
        if (bytes.length < head || !Arrays.equals(MAGIC, Arrays.copyOf(bytes, MAGIC.length))) {
            throw new RootOfTrustException("what is to be opened was not sealed by a TPM 1.2 root of trust");
        }
        int version = ((bytes[MAGIC.length] & 0xFF) << Byte.SIZE) | (bytes[MAGIC.length + 1] & 0xFF);
        if (version != VERSION) {
            throw new RootOfTrustException("what is to be opened has version " + version
                    + " of its format, this software knows " + VERSION + ": start the software that sealed it");
        }
        try {
            int end = Math.max(0, bytes.length - Sha256.LENGTH);
            SealedBlob blob = Codec.of(SealedBlob.class).decode(bytes);
            if (!Arrays.equals(Sha256.of(Arrays.copyOf(bytes, end)), blob.checksum())) {
                throw damaged("its checksum is wrong");
            }
            return blob.checked();
        } catch (CodecException | TpmException e) {
            throw damaged(String.valueOf(e.getMessage()));
        }
    }

    byte[] encode() {
        byte[] bytes = Structures.encode(this);
        int end = bytes.length - Sha256.LENGTH;
        System.arraycopy(Sha256.of(Arrays.copyOf(bytes, end)), 0, bytes, end, Sha256.LENGTH);
        return bytes;
    }

    StorageRootKey storageRootKey() {
        return new StorageRootKey(srk, endorsement);
    }

    Pcrs selection() {
        return new Pcrs(pcrs);
    }

    /** What stays the same whatever is sealed and approved. */
    byte[] terms() {
        return Structures.encode(of(storageRootKey(), selection(), operatorKey, List.of()));
    }

    /** Number of approved policies. */
    int approved() {
        return pcrs == 0 ? 0 : copies.size();
    }

    /** The blob with one more copy; of several for the same values the newest stays. */
    SealedBlob with(Copy copy) {
        List<Copy> all = new ArrayList<>(copies);
        all.removeIf(each -> Arrays.equals(each.values(), copy.values()));
        all.add(0, copy);
        return of(storageRootKey(), selection(), operatorKey, all.subList(0, Math.min(all.size(), MOST_COPIES)));
    }

    private SealedBlob checked() throws RootOfTrustException {
        if (pcrs >>> PcrSet.COUNT != 0 || (pcrs == 0) != (operatorKey.length == 0)) {
            throw damaged("its PCRs and its operator's key do not fit");
        }
        if (pcrs == 0) {
            boolean one = copies.size() == 1
                    && copies.get(0).values().length == 0
                    && copies.get(0).data().release() == null;
            if (!one) {
                throw damaged("it is not sealed to the TPM alone");
            }
            return this;
        }
        VerificationKey operator = OperatorKey.of(operatorKey);
        for (Copy copy : copies) {
            PcrInfoShort release = copy.data().release();
            if (copy.values().length != selection().registers().length()
                    || release == null
                    || !selection().fits(release, copy.values())) {
                throw damaged("an approved policy is not that of its copy");
            }
            if (!operator.verifies(selection().toSign(copy.values()), copy.signature())) {
                throw damaged("an approved policy lacks the operator's signature");
            }
        }
        return this;
    }

    private static RootOfTrustException damaged(String how) {
        return new RootOfTrustException(
                "what is to be opened was changed or damaged (" + how + "): put back what was sealed");
    }
}
