package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_COUNTER_VALUE (TPM Main Part 2, section 5.13).
 *
 * @param label what the counter's maker called it; zeros for the audit counter
 * @param counter the count, unsigned
 */
@Tag(0x000E)
public record CounterValue(@Fixed(4) byte[] label, int counter) {}
