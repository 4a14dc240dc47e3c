package org.vtpm.engine.tpm12.structure;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException.Kind;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Sha1;

/** What a TPM signs about a key: TPM_CERTIFY_INFO or TPM_CERTIFY_INFO2 (TPM Main Part 2, sections 11.1 and 11.2). */
public sealed interface CertifyInfo {
    /** SHA-1 over it. */
    default byte[] digest() {
        return Sha1.of(Codec.of(CertifyInfo.class).encode(this));
    }

    /** SHA-1 over the modulus of a key, without the structures around it. */
    static byte[] pubkeyDigest(TpmKey key) {
        return Sha1.of(key.pubKey().key());
    }

    /**
     * TPM_CERTIFY_INFO.
     *
     * @param revision the lower half of its TPM_STRUCT_VER: zero
     * @param pubkeyDigest {@link #pubkeyDigest(TpmKey)}
     * @param data what the verifier chose
     * @param parentPcrStatus whether the parent, or any key above it, can be used under certain PCRs only
     */
    @Tag(value = 0x0101, mismatch = Kind.BAD_VERSION)
    record Info(
            @U16 int revision,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Fixed(20) byte[] pubkeyDigest,
            @Fixed(20) byte[] data,
            boolean parentPcrStatus,
            @Sized @Nullable PcrInfo pcrInfo)
            implements CertifyInfo {

        /** About a key. */
        public static Info of(TpmKey key, byte[] data, boolean parentPcrStatus, @Nullable PcrInfo pcrInfo) {
            return new Info(
                    0,
                    key.keyUsage(),
                    key.keyFlags(),
                    key.authDataUsage(),
                    key.algorithmParms(),
                    CertifyInfo.pubkeyDigest(key),
                    data,
                    parentPcrStatus,
                    pcrInfo);
        }
    }

    /**
     * TPM_CERTIFY_INFO2.
     *
     * @param fill zero
     * @param payloadType see {@link PayloadType}
     * @param migrationAuthority empty, or 20 bytes that stand for those who may approve the key's migration
     */
    @Tag(0x0029)
    record Info2(
            @U8 int fill,
            @U8 int payloadType,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Fixed(20) byte[] pubkeyDigest,
            @Fixed(20) byte[] data,
            boolean parentPcrStatus,
            @Sized @Nullable PcrInfoShort pcrInfo,
            @Sized byte[] migrationAuthority)
            implements CertifyInfo {

        /** About a key, with the PCRs and localities that it may be used at. */
        public static Info2 of(
                TpmKey key, byte[] data, boolean parentPcrStatus, int payloadType, byte[] migrationAuthority) {
            return new Info2(
                    0,
                    payloadType,
                    key.keyUsage(),
                    key.keyFlags(),
                    key.authDataUsage(),
                    key.algorithmParms(),
                    CertifyInfo.pubkeyDigest(key),
                    data,
                    parentPcrStatus,
                    key.release(),
                    migrationAuthority);
        }
    }
}
