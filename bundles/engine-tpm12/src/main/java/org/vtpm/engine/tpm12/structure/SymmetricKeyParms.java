package org.vtpm.engine.tpm12.structure;

import org.vtpm.codec.Sized;

/**
 * TPM_SYMMETRIC_KEY_PARMS (TPM Main Part 2, section 10.1.2).
 *
 * @param keyLength in bits
 * @param blockSize in bits
 */
public record SymmetricKeyParms(
        int keyLength, int blockSize, @Sized byte[] iv) {}
