package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_TRANSPORT_LOG_IN (TPM Main Part 2, section 13.3).
 *
 * @param parameters digest of the wrapped command's ordinal and parameters
 * @param pubKeyHash what says which keys it used; zeros if none
 */
@Tag(0x0010)
public record TransportLogIn(
        @Fixed(20) byte[] parameters, @Fixed(20) byte[] pubKeyHash) {}
