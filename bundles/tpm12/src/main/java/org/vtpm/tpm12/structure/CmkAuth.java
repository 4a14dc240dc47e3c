package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;

/** TPM_CMK_AUTH (TPM Main Part 2, section 5.16): a migration authority approves a migration; digests of TPM_PUBKEYs. */
public record CmkAuth(
        @Fixed(20) byte[] migrationAuthorityDigest,
        @Fixed(20) byte[] destinationKeyDigest,
        @Fixed(20) byte[] sourceKeyDigest) {}
