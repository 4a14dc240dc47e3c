package org.vtpm.tpm12.structure;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException.Kind;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Sha1;

/**
 * Sealed data as it stands outside the TPM: TPM_STORED_DATA or TPM_STORED_DATA12 (TPM Main Part 2, sections 9.1 and 9.2).
 */
public sealed interface StoredData {
    /** The TPM_SEALED_DATA, encrypted by the storage key. */
    byte[] encData();

    /** How the secret is covered when it leaves the TPM: a TPM_ENTITY_TYPE, zero if it is not. */
    int entityType();

    /** The PCRs and localities that the data may be had at; null if at any. */
    @Nullable
    PcrInfoShort release();

    /** This with another encrypted part. */
    StoredData withEncData(byte[] encData);

    /** SHA-1 over all but the encrypted part, which repeats it. */
    default byte[] storedDigest() {
        byte[] encoded = Codec.of(StoredData.class).encode(withEncData(new byte[0]));
        return new Sha1().update(encoded, 0, encoded.length - Integer.BYTES).digest();
    }

    /**
     * TPM_STORED_DATA12.
     *
     * @param entityType high byte: the ADIP scheme; zero in all for data that leaves the TPM in clear
     */
    @Tag(0x0016)
    record Data12(
            @U16 int entityType,
            @Sized @Nullable PcrInfoLong sealInfo,
            @Sized byte[] encData) implements StoredData {
        @Override
        public @Nullable PcrInfoShort release() {
            return sealInfo == null
                    ? null
                    : new PcrInfoShort(
                            sealInfo.releasePcrSelection(), sealInfo.localityAtRelease(), sealInfo.digestAtRelease());
        }

        @Override
        public StoredData withEncData(byte[] to) {
            return new Data12(entityType, sealInfo, to);
        }
    }

    /** TPM_STORED_DATA, the form of version 1.1; the revision bytes of its version are not looked at. */
    @Tag(value = 0x0101, mismatch = Kind.BAD_VERSION)
    record Data(
            @U16 int revision,
            @Sized @Nullable PcrInfo sealInfo,
            @Sized byte[] encData) implements StoredData {
        @Override
        public int entityType() {
            return 0;
        }

        @Override
        public @Nullable PcrInfoShort release() {
            return sealInfo == null
                    ? null
                    : new PcrInfoShort(
                            sealInfo.pcrSelection(), PcrInfoShort.ALL_LOCALITIES, sealInfo.digestAtRelease());
        }

        @Override
        public StoredData withEncData(byte[] to) {
            return new Data(revision, sealInfo, to);
        }
    }
}
