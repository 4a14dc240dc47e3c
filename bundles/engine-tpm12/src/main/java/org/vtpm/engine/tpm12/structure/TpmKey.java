package org.vtpm.engine.tpm12.structure;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.CodecException.Kind;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;

/** A key as it stands outside the TPM: TPM_KEY or TPM_KEY12 (TPM Main Part 2, sections 10.2 and 10.3). */
public sealed interface TpmKey {
    /** TPM_KEY_USAGE. */
    int keyUsage();

    /** TPM_KEY_FLAGS. */
    int keyFlags();

    /** TPM_AUTH_DATA_USAGE. */
    int authDataUsage();

    KeyParms algorithmParms();

    StorePubkey pubKey();

    /** The TPM_STORE_ASYMKEY of the key, encrypted by its parent. */
    byte[] encData();

    /** TPM_KEY, the form of version 1.1; the revision bytes of its version are not looked at. */
    @Tag(value = 0x01010000, bytes = 4, mask = 0xFFFF0000L, mismatch = Kind.BAD_VERSION)
    record Key(
            @U16 int keyUsage,
            int keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Sized @Nullable PcrInfo pcrInfo,
            StorePubkey pubKey,
            @Sized byte[] encData)
            implements TpmKey {}

    /** TPM_KEY12. */
    @Tag(value = 0x00280000, bytes = 4, mismatch = Kind.BAD_VERSION)
    record Key12(
            @U16 int keyUsage,
            int keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Sized @Nullable PcrInfoLong pcrInfo,
            StorePubkey pubKey,
            @Sized byte[] encData)
            implements TpmKey {}
}
