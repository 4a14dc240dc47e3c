package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_AUDIT_EVENT_IN (TPM Main Part 2, section 12).
 *
 * @param inputParms digest of the ordinal and the input parameters, as for authorisation
 * @param auditCount the audit counter
 */
@Tag(0x0012)
public record AuditEventIn(@Fixed(20) byte[] inputParms, CounterValue auditCount) {}
