package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_CMK_MIGAUTH (TPM Main Part 2, section 5.18): ties a key to those who may approve its migration.
 *
 * @param msaDigest SHA-1 of a {@link MsaComposite}
 * @param pubKeyDigest SHA-1 of the key's TPM_PUBKEY
 */
@Tag(0x0033)
public record CmkMigauth(
        @Fixed(20) byte[] msaDigest, @Fixed(20) byte[] pubKeyDigest) {}
