package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_CMK_MA_APPROVAL (TPM Main Part 2, section 5.20): the owner approved migration authorities.
 *
 * @param migrationAuthorityDigest SHA-1 of a {@link MsaComposite}
 */
@Tag(0x0035)
public record CmkMaApproval(@Fixed(20) byte[] migrationAuthorityDigest) {}
