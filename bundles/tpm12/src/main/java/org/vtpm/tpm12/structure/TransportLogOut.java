package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_TRANSPORT_LOG_OUT (TPM Main Part 2, section 13.4).
 *
 * @param parameters digest of the wrapped response's return code, ordinal and parameters
 * @param locality where the command came from
 */
@Tag(0x0011)
public record TransportLogOut(
        CurrentTicks currentTicks, @Fixed(20) byte[] parameters, int locality) {}
