package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;

/**
 * TPM_CONTEXT_BLOB (TPM Main Part 2, section 18.1): a resource of the TPM as it is kept outside.
 *
 * @param resourceType see {@link ResourceType}
 * @param handle the handle that the resource had
 * @param label what the guest tells its blobs apart by
 * @param contextCount names a saved session; 0 for keys, which are not counted
 * @param integrityDigest HMAC with tpmProof over this structure, with zeros in this field and {@code sensitiveData} not
 *     encrypted
 * @param additionalData what the TPM that made the blob needs to decrypt it
 * @param sensitiveData an encrypted {@link ContextSensitive}
 */
@Tag(0x0001)
public record ContextBlob(
        int resourceType,
        int handle,
        @Fixed(16) byte[] label,
        int contextCount,
        @Fixed(20) byte[] integrityDigest,
        @Sized byte[] additionalData,
        @Sized byte[] sensitiveData) {

    /** The same blob with other contents. */
    public ContextBlob with(byte[] digest, byte[] sensitive) {
        return new ContextBlob(resourceType, handle, label, contextCount, digest, additionalData, sensitive);
    }
}
