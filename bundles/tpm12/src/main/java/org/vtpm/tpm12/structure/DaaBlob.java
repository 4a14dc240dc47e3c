package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;

/**
 * TPM_DAA_BLOB (TPM Main Part 2, section 22.8): part of a DAA credential that leaves the TPM.
 *
 * @param resourceType {@link ResourceType#DAA}, DAA_V0 or DAA_V1
 * @param label for the host's use
 * @param blobIntegrity HMAC with daaProof over the structure, with zeros in this place
 * @param additionalData the counter of the encryption's first block
 * @param sensitiveData TPM_DAA_SENSITIVE, encrypted with daaBlobKey
 */
@Tag(0x002C)
public record DaaBlob(
        int resourceType,
        @Fixed(16) byte[] label,
        @Fixed(20) byte[] blobIntegrity,
        @Sized byte[] additionalData,
        @Sized byte[] sensitiveData) {

    public DaaBlob withIntegrity(byte[] to) {
        return new DaaBlob(resourceType, label, to, additionalData, sensitiveData);
    }
}
