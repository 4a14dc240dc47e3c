package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_AUDIT_EVENT_OUT (TPM Main Part 2, section 12).
 *
 * @param outputParms digest of the ordinal and the output parameters, as for authorisation
 * @param auditCount the audit counter
 */
@Tag(0x0013)
public record AuditEventOut(@Fixed(20) byte[] outputParms, CounterValue auditCount) {}
