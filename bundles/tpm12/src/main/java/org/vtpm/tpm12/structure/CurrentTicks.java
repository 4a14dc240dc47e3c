package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;

/**
 * TPM_CURRENT_TICKS (TPM Main Part 2, section 15.1).
 *
 * @param currentTicks ticks since the session began
 * @param tickRate microseconds per tick
 * @param tickNonce names the tick session
 */
@Tag(0x0014)
public record CurrentTicks(
        long currentTicks, @U16 int tickRate, @Fixed(20) byte[] tickNonce) {}
