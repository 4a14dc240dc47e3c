package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.U16;

/**
 * TPM_MIGRATIONKEYAUTH (TPM Main Part 2, section 5.14): the owner's word that keys may be migrated to a public key.
 *
 * @param migrationScheme see {@link MigrateScheme}
 * @param digest SHA-1 over key, scheme and tpmProof
 */
public record MigrationKeyAuth(
        Pubkey migrationKey,
        @U16 int migrationScheme,
        @Fixed(20) byte[] digest) {}
