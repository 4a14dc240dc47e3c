package org.vtpm.tpm12.structure;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException.Kind;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Sha1;

/** A key as it stands outside the TPM: TPM_KEY or TPM_KEY12 (TPM Main Part 2, sections 10.2 and 10.3). */
public sealed interface TpmKey {
    /** See {@link KeyUsage}. */
    int keyUsage();

    KeyFlags keyFlags();

    /** See {@link AuthDataUsage}. */
    int authDataUsage();

    KeyParms algorithmParms();

    StorePubkey pubKey();

    /** The TPM_STORE_ASYMKEY of the key, encrypted by its parent. */
    byte[] encData();

    /** The PCRs and localities that the key may be used at, whatever the form of the key; null if it is at any. */
    @Nullable
    PcrInfoShort release();

    /** This key with another encrypted part. */
    TpmKey withEncData(byte[] encData);

    /** Whether a flag is set. */
    default boolean is(KeyFlag flag) {
        return keyFlags().has(flag);
    }

    /** SHA-1 over all but the encrypted part, which repeats it: what makes it this key and no other. */
    default byte[] pubDataDigest() {
        byte[] encoded = Codec.of(TpmKey.class).encode(withEncData(new byte[0]));
        return new Sha1().update(encoded, 0, encoded.length - Integer.BYTES).digest();
    }

    /** The TPM_PUBKEY of the key. */
    default Pubkey publicKey() {
        return new Pubkey(algorithmParms(), pubKey());
    }

    /**
     * TPM_KEY, the form of version 1.1.
     *
     * @param revision the revision bytes of its version: ignored on input (TPM Main Part 2, section 5.1), but part of what
     *     {@link #pubDataDigest} covers
     */
    @Tag(value = 0x0101, mismatch = Kind.BAD_VERSION)
    record Key(
            @U16 int revision,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Sized @Nullable PcrInfo pcrInfo,
            StorePubkey pubKey,
            @Sized byte[] encData)
            implements TpmKey {

        @Override
        public @Nullable PcrInfoShort release() {
            return pcrInfo == null
                    ? null
                    : new PcrInfoShort(pcrInfo.pcrSelection(), PcrInfoShort.ALL_LOCALITIES, pcrInfo.digestAtRelease());
        }

        @Override
        public TpmKey withEncData(byte[] to) {
            return new Key(revision, keyUsage, keyFlags, authDataUsage, algorithmParms, pcrInfo, pubKey, to);
        }
    }

    /** What makes the tag of a TPM_KEY12 as long as the version of a TPM_KEY: zero. */
    @Tag(value = 0, mismatch = Kind.BAD_VERSION)
    record Fill() {}

    /** TPM_KEY12. */
    @Tag(value = 0x0028, mismatch = Kind.BAD_VERSION)
    record Key12(
            Fill fill,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Sized @Nullable PcrInfoLong pcrInfo,
            StorePubkey pubKey,
            @Sized byte[] encData)
            implements TpmKey {

        @Override
        public @Nullable PcrInfoShort release() {
            return pcrInfo == null
                    ? null
                    : new PcrInfoShort(
                            pcrInfo.releasePcrSelection(), pcrInfo.localityAtRelease(), pcrInfo.digestAtRelease());
        }

        @Override
        public TpmKey withEncData(byte[] to) {
            return new Key12(fill, keyUsage, keyFlags, authDataUsage, algorithmParms, pcrInfo, pubKey, to);
        }
    }
}
