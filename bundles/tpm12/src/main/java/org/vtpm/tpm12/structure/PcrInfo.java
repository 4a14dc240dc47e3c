package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;

/** TPM_PCR_INFO (TPM Main Part 2, section 8.3), the form of version 1.1: no localities, release before creation. */
public record PcrInfo(
        PcrSelection pcrSelection,
        @Fixed(20) byte[] digestAtRelease,
        @Fixed(20) byte[] digestAtCreation) {}
