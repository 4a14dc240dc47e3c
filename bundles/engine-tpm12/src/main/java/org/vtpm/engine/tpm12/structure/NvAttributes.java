package org.vtpm.engine.tpm12.structure;

import org.vtpm.codec.Tag;

/** TPM_NV_ATTRIBUTES (TPM Main Part 2, section 19.2). */
@Tag(0x0017)
public record NvAttributes(int attributes) {}
