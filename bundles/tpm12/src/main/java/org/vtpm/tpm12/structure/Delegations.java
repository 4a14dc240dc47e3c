package org.vtpm.tpm12.structure;

import org.vtpm.codec.Tag;

/**
 * TPM_DELEGATIONS (TPM Main Part 2, section 20.2): what whoever knows a delegation's secret may do.
 *
 * @param delegateType {@link #OWNER_BITS} or {@link #KEY_BITS}, which says what the other bits stand for
 * @param per1 a bit for each command, see {@code CommandTable}
 * @param per2 no bit of it is defined
 */
@Tag(0x001A)
public record Delegations(int delegateType, int per1, int per2) {
    public static final int OWNER_BITS = 1;
    public static final int KEY_BITS = 2;

    private static final int DEFINED_KEY_BITS = 0x1FFF_FFFF;

    public Delegations {
        int defined = switch (delegateType) {
            case OWNER_BITS -> -1;
            case KEY_BITS -> DEFINED_KEY_BITS;
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
        TpmException.require((per1 & ~defined) == 0 && per2 == 0, ReturnCode.BAD_PARAMETER);
    }

    /** Whether a bit of {@code per1} is set; -1 is the bit of commands that can not be delegated. */
    public boolean has(int bit) {
        return bit >= 0 && ((per1 >>> bit) & 1) != 0;
    }

    /** Whether this allows nothing that {@code other}, of the same type, does not. */
    public boolean within(Delegations other) {
        return (per1 & ~other.per1) == 0 && (per2 & ~other.per2) == 0;
    }
}
