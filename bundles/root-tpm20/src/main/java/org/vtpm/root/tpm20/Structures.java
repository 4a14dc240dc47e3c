package org.vtpm.root.tpm20;

import java.util.List;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Sha256;

/**
 * Structures of TPM 2.0 (TPM 2.0 Library, Part 2), and parameters of its commands and responses (Part 3), as far as they are
 * used: fields in wire order, big-endian. Public areas are kept encoded where their name matters.
 */
final class Structures {
    static final int ALG_AES = 0x0006;
    static final int ALG_SHA256 = 0x000B;
    static final int ALG_NULL = 0x0010;
    static final int ALG_RSASSA = 0x0014;
    static final int ALG_ECDSA = 0x0018;
    static final int ALG_CFB = 0x0043;
    static final int ECC_NIST_P256 = 0x0003;

    // TPMA_OBJECT
    static final int FIXED_TPM = 1 << 1;
    static final int FIXED_PARENT = 1 << 4;
    static final int SENSITIVE_DATA_ORIGIN = 1 << 5;
    static final int USER_WITH_AUTH = 1 << 6;
    static final int ADMIN_WITH_POLICY = 1 << 7;
    static final int NO_DA = 1 << 10;
    static final int RESTRICTED = 1 << 16;
    static final int DECRYPT = 1 << 17;
    static final int SIGN = 1 << 18;

    /** The longest digest, nonce or authorization value there is (SHA-512). */
    static final int DIGEST = 64;

    /** Bound for public and private areas and creation data: more than any TPM makes. */
    static final int AREA = 1024;

    private Structures() {}

    /** TPMT_PUBLIC of an ECC key that protects other objects. */
    @Tag(0x0023)
    record StoragePublic(
            @U16 int nameAlg,
            int attributes,
            @Sized(prefix = 2, max = DIGEST) byte[] authPolicy,
            @U16 int symmetric,
            @U16 int symmetricBits,
            @U16 int symmetricMode,
            @U16 int scheme,
            @U16 int curve,
            @U16 int kdf,
            @Sized(prefix = 2, max = 32) byte[] x,
            @Sized(prefix = 2, max = 32) byte[] y) {}

    /** TPMT_PUBLIC of an ECC key that signs. */
    @Tag(0x0023)
    record EccSigningPublic(
            @U16 int nameAlg,
            int attributes,
            @Sized(prefix = 2, max = DIGEST) byte[] authPolicy,
            @U16 int symmetric,
            @U16 int scheme,
            @U16 int schemeHash,
            @U16 int curve,
            @U16 int kdf,
            @Sized(prefix = 2, max = 32) byte[] x,
            @Sized(prefix = 2, max = 32) byte[] y) {}

    /** TPMT_PUBLIC of an RSA key that signs. An exponent of zero stands for 65537. */
    @Tag(0x0001)
    record RsaSigningPublic(
            @U16 int nameAlg,
            int attributes,
            @Sized(prefix = 2, max = DIGEST) byte[] authPolicy,
            @U16 int symmetric,
            @U16 int scheme,
            @U16 int schemeHash,
            @U16 int keyBits,
            int exponent,
            @Sized(prefix = 2, max = 512) byte[] modulus) {}

    /** TPMT_PUBLIC of sealed data. */
    @Tag(0x0008)
    record SealedPublic(
            @U16 int nameAlg,
            int attributes,
            @Sized(prefix = 2, max = DIGEST) byte[] authPolicy,
            @U16 int scheme,
            @Sized(prefix = 2, max = DIGEST) byte[] unique) {}

    /** TPMS_SENSITIVE_CREATE. */
    record SensitiveCreate(
            @Sized(prefix = 2, max = DIGEST) byte[] userAuth,
            @Sized(prefix = 2, max = 128) byte[] data) {}

    /** TPMS_PCR_SELECTION. */
    record PcrSelection(
            @U16 int hash, @Sized(prefix = 1, max = 4) byte[] select) {}

    /** TPMT_TK_CREATION, TPMT_TK_VERIFIED. */
    record Ticket(
            @U16 int tag,
            int hierarchy,
            @Sized(prefix = 2, max = DIGEST) byte[] digest) {}

    /** TPMS_ECC_POINT. */
    record EccPoint(
            @Sized(prefix = 2, max = 32) byte[] x,
            @Sized(prefix = 2, max = 32) byte[] y) {}

    /** TPMT_SIGNATURE of TPM_ALG_RSASSA. */
    @Tag(ALG_RSASSA)
    record RsassaSignature(
            @U16 int hash, @Sized(prefix = 2, max = 512) byte[] signature) {}

    /** TPMT_SIGNATURE of TPM_ALG_ECDSA. */
    @Tag(ALG_ECDSA)
    record EcdsaSignature(
            @U16 int hash,
            @Sized(prefix = 2, max = 32) byte[] r,
            @Sized(prefix = 2, max = 32) byte[] s) {}

    /** TPMS_NV_PUBLIC. */
    record NvPublic(
            int index,
            @U16 int nameAlg,
            int attributes,
            @Sized(prefix = 2, max = DIGEST) byte[] authPolicy,
            @U16 int dataSize) {}

    /** Parameters of TPM2_StartAuthSession. */
    record StartAuthSession(
            @Sized(prefix = 2, max = DIGEST) byte[] nonceCaller,
            @Sized(prefix = 2, max = 256) byte[] encryptedSalt,
            @U8 int sessionType,
            @U16 int symmetric,
            @U16 int symmetricBits,
            @U16 int symmetricMode,
            @U16 int authHash) {}

    /** Parameters of TPM2_StartAuthSession where parameters are not encrypted: TPM_ALG_NULL has neither bits nor mode. */
    record StartPlainSession(
            @Sized(prefix = 2, max = DIGEST) byte[] nonceCaller,
            @Sized(prefix = 2, max = 256) byte[] encryptedSalt,
            @U8 int sessionType,
            @U16 int symmetric,
            @U16 int authHash) {}

    /** Parameters of TPM2_Create and TPM2_CreatePrimary. */
    record Create(
            @Sized(prefix = 2, max = AREA) byte[] sensitive,
            @Sized(prefix = 2, max = AREA) byte[] publicArea,
            @Sized(prefix = 2, max = DIGEST) byte[] outsideInfo,
            @Counted(max = 1) List<PcrSelection> creationPcr) {}

    /** What TPM2_CreatePrimary returns. */
    record CreatedPrimary(
            @Sized(prefix = 2, max = AREA) byte[] publicArea,
            @Sized(prefix = 2, max = AREA) byte[] creationData,
            @Sized(prefix = 2, max = DIGEST) byte[] creationHash,
            Ticket ticket,
            @Sized(prefix = 2, max = 66) byte[] name) {}

    /** What TPM2_Create returns. */
    record Created(
            @Sized(prefix = 2, max = AREA) byte[] privateArea,
            @Sized(prefix = 2, max = AREA) byte[] publicArea,
            @Sized(prefix = 2, max = AREA) byte[] creationData,
            @Sized(prefix = 2, max = DIGEST) byte[] creationHash,
            Ticket ticket) {}

    /** Parameters of TPM2_Load. */
    record Load(
            @Sized(prefix = 2, max = AREA) byte[] privateArea,
            @Sized(prefix = 2, max = AREA) byte[] publicArea) {}

    /** Parameters of TPM2_LoadExternal without a private area. */
    record LoadExternal(
            @Sized(prefix = 2, max = AREA) byte[] privateArea,
            @Sized(prefix = 2, max = AREA) byte[] publicArea,
            int hierarchy) {}

    /** One sized buffer: a name, a nonce, or data. */
    record Buffer(@Sized(prefix = 2, max = AREA) byte[] bytes) {}

    /** What TPM2_ReadPublic returns. */
    record ObjectPublic(
            @Sized(prefix = 2, max = AREA) byte[] publicArea,
            @Sized(prefix = 2, max = 66) byte[] name,
            @Sized(prefix = 2, max = 66) byte[] qualifiedName) {}

    /** Parameters of TPM2_PolicyPCR. */
    record PolicyPcr(
            @Sized(prefix = 2, max = DIGEST) byte[] pcrDigest,
            @Counted(max = 1) List<PcrSelection> pcrs) {}

    /** Parameters of TPM2_PolicyAuthorize. */
    record PolicyAuthorize(
            @Sized(prefix = 2, max = DIGEST) byte[] approvedPolicy,
            @Sized(prefix = 2, max = DIGEST) byte[] policyRef,
            @Sized(prefix = 2, max = 66) byte[] keySign,
            Ticket ticket) {}

    /** Parameters of TPM2_PCR_Read. */
    record PcrRead(@Counted(max = 1) List<PcrSelection> pcrs) {}

    /** What TPM2_PCR_Read returns. */
    record PcrValues(
            int updateCounter,
            @Counted(max = 16) List<PcrSelection> pcrs,
            @Counted(max = 8) List<Buffer> values) {}

    /** Parameters of TPM2_GetCapability. */
    record GetCapability(int capability, int property, int count) {}

    /** What TPM2_GetCapability returns for TPM_CAP_HANDLES. */
    record Handles(
            boolean more,
            int capability,
            @Counted(max = 1024) int[] handles) {}

    /** Parameters of TPM2_NV_DefineSpace. */
    record NvDefineSpace(
            @Sized(prefix = 2, max = DIGEST) byte[] auth,
            @Sized(prefix = 2, max = 128) byte[] publicArea) {}

    /** What TPM2_NV_ReadPublic returns. */
    record NvReadPublic(
            @Sized(prefix = 2, max = 128) byte[] publicArea,
            @Sized(prefix = 2, max = 66) byte[] name) {}

    /** Parameters of TPM2_NV_Read. */
    record NvRead(@U16 int size, @U16 int offset) {}

    /** One handle as the only parameter. */
    record OneHandle(int handle) {}

    /** A response's authorization area: one session. */
    record ResponseAuthorization(
            @Sized(prefix = 2, max = DIGEST) byte[] nonceTpm,
            @U8 int attributes,
            @Sized(prefix = 2, max = DIGEST) byte[] hmac) {}

    /** A header of a command or a response. */
    record Header(@U16 int tag, int size, int code) {}

    /** Encodes any of these. */
    @SuppressWarnings("unchecked") // the codec is that of the value's own class
    static <T extends Record> byte[] encode(T value) {
        return Codec.of((Class<T>) value.getClass()).encode(value);
    }

    /** The name of an object or NV index: the number of its hash, then the digest of its public area. */
    static byte[] name(byte[] publicArea) {
        byte[] digest = Sha256.of(publicArea);
        byte[] name = new byte[2 + digest.length];
        name[1] = (byte) ALG_SHA256;
        System.arraycopy(digest, 0, name, 2, digest.length);
        return name;
    }
}
