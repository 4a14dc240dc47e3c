package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.crypto.Sha1;

/** A delegation as it is kept outside the TPM. */
public sealed interface DelegateBlob {
    DelegatePublic pub();

    /** HMAC with tpmProof over this structure, with zeros in this field. */
    byte[] integrityDigest();

    /** What the TPM that made the blob needs to decrypt it. */
    byte[] additionalArea();

    /** An encrypted {@link DelegateSensitive}; not encrypted in a blob for a TPM that has no owner. */
    byte[] sensitiveArea();

    int OWNER_TAG = 0x002A;
    int KEY_TAG = 0x0027;

    /** The same blob with another digest. */
    DelegateBlob withDigest(byte[] digest);

    /** The same blob with another verification count; its digest is out of date. */
    DelegateBlob withVerificationCount(int count);

    /** TPM_DELEGATE_OWNER_BLOB (TPM Main Part 2, section 20.8). */
    @Tag(OWNER_TAG)
    record OwnerBlob(
            DelegatePublic pub,
            @Fixed(20) byte[] integrityDigest,
            @Sized byte[] additionalArea,
            @Sized byte[] sensitiveArea)
            implements DelegateBlob {

        /** A blob whose digest is yet to be made. */
        public static OwnerBlob of(DelegatePublic pub, byte[] additionalArea, byte[] sensitiveArea) {
            return new OwnerBlob(pub, new byte[Sha1.LENGTH], additionalArea, sensitiveArea);
        }

        @Override
        public OwnerBlob withDigest(byte[] digest) {
            return new OwnerBlob(pub, digest, additionalArea, sensitiveArea);
        }

        @Override
        public OwnerBlob withVerificationCount(int count) {
            return new OwnerBlob(pub.withVerificationCount(count), integrityDigest, additionalArea, sensitiveArea);
        }
    }

    /**
     * TPM_DELEGATE_KEY_BLOB (TPM Main Part 2, section 20.9).
     *
     * @param pubKeyDigest SHA-1 of the key's TPM_STORE_PUBKEY
     */
    @Tag(KEY_TAG)
    record KeyBlob(
            DelegatePublic pub,
            @Fixed(20) byte[] integrityDigest,
            @Fixed(20) byte[] pubKeyDigest,
            @Sized byte[] additionalArea,
            @Sized byte[] sensitiveArea)
            implements DelegateBlob {

        /** A blob whose digest is yet to be made. */
        public static KeyBlob of(DelegatePublic pub, byte[] pubKeyDigest, byte[] additionalArea, byte[] sensitiveArea) {
            return new KeyBlob(pub, new byte[Sha1.LENGTH], pubKeyDigest, additionalArea, sensitiveArea);
        }

        @Override
        public KeyBlob withDigest(byte[] digest) {
            return new KeyBlob(pub, digest, pubKeyDigest, additionalArea, sensitiveArea);
        }

        @Override
        public KeyBlob withVerificationCount(int count) {
            return new KeyBlob(
                    pub.withVerificationCount(count), integrityDigest, pubKeyDigest, additionalArea, sensitiveArea);
        }
    }
}
