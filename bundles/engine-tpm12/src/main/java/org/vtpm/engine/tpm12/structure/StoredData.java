package org.vtpm.engine.tpm12.structure;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException.Kind;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Sha1;

/** Sealed data as it stands outside the TPM: TPM_STORED_DATA or TPM_STORED_DATA12 (TPM Main Part 2, sections 9.1 and 9.2). */
public sealed interface StoredData {
    /** The {@link SealedData}, encrypted by the key it was sealed to. */
    byte[] encData();

    /** The PCRs and localities that the data is released at, whatever the form; null if it is at any. */
    @Nullable
    PcrInfoShort release();

    /** TPM_ENTITY_TYPE of the session that encrypts the data when it is unsealed; zero if it comes in the clear. */
    int et();

    /** The same with another encrypted part. */
    StoredData withEncData(byte[] encData);

    /** SHA-1 over all but the encrypted part, which repeats it. */
    default byte[] storedDigest() {
        byte[] encoded = Codec.of(StoredData.class).encode(withEncData(new byte[0]));
        return new Sha1().update(encoded, 0, encoded.length - Integer.BYTES).digest();
    }

    /** TPM_STORED_DATA12. */
    @Tag(0x0016)
    record Stored12(
            @U16 int et,
            @Sized @Nullable PcrInfoLong sealInfo,
            @Sized byte[] encData) implements StoredData {

        @Override
        public @Nullable PcrInfoShort release() {
            return sealInfo == null ? null : sealInfo.release();
        }

        @Override
        public StoredData withEncData(byte[] to) {
            return new Stored12(et, sealInfo, to);
        }
    }

    /**
     * TPM_STORED_DATA, the form of version 1.1.
     *
     * @param revision the lower half of its TPM_STRUCT_VER; covered by the digest, but otherwise not looked at
     */
    @Tag(value = 0x0101, mismatch = Kind.BAD_VERSION)
    record Stored11(
            @U16 int revision,
            @Sized @Nullable PcrInfo sealInfo,
            @Sized byte[] encData) implements StoredData {

        @Override
        public @Nullable PcrInfoShort release() {
            return sealInfo == null ? null : sealInfo.release();
        }

        @Override
        public int et() {
            return 0;
        }

        @Override
        public StoredData withEncData(byte[] to) {
            return new Stored11(revision, sealInfo, to);
        }
    }
}
