package org.vtpm.engine.tpm12.state;

import java.util.stream.IntStream;
import org.vtpm.codec.Counted;

/**
 * What the TPM remembers of auditing without power (TPM Main Part 2, section 7.4).
 *
 * @param monotonicCounter auditMonotonicCounter: audit sessions that were begun, unsigned
 * @param changed ordinals whose ordinalAuditStatus is not that of the command table
 */
public record AuditSettings(
        int monotonicCounter, @Counted(prefix = 2) int[] changed) {
    /** As a part leaves the factory. */
    public static final AuditSettings FACTORY = new AuditSettings(0, new int[0]);

    /** A new audit session. */
    public AuditSettings counted() {
        return new AuditSettings(monotonicCounter + 1, changed);
    }

    /** With all ordinals as the command table has them. */
    public AuditSettings withDefaults() {
        return new AuditSettings(monotonicCounter, new int[0]);
    }

    /** Whether an ordinal's status is not that of the command table. */
    public boolean differs(int ordinal) {
        return IntStream.of(changed).anyMatch(each -> each == ordinal);
    }

    /** With the other status for an ordinal. */
    public AuditSettings toggled(int ordinal) {
        IntStream others = IntStream.of(changed).filter(each -> each != ordinal);
        return new AuditSettings(
                monotonicCounter,
                differs(ordinal)
                        ? others.toArray()
                        : IntStream.concat(others, IntStream.of(ordinal)).toArray());
    }
}
