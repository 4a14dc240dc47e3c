package org.vtpm.engine.tpm12.state;

import org.jspecify.annotations.Nullable;

/**
 * TPM_STCLEAR_FLAGS (TPM Main Part 2, section 7.2).
 *
 * @param bits bit n is the n-th flag of the structure, counted from 0
 */
@SuppressWarnings("EnumOrdinal") // the order of the flags is that of the structure
public record StClearFlags(int bits) {
    private static final int STRUCTURE_TAG = 0x0020;

    /** The flags in the structure's order; TPM_SetCapability numbers them from 1. */
    public enum Flag {
        DEACTIVATED,
        DISABLE_FORCE_CLEAR,
        PHYSICAL_PRESENCE,
        PHYSICAL_PRESENCE_LOCK,
        GLOBAL_LOCK
    }

    public StClearFlags {
        if (bits >>> Flag.values().length != 0) {
            throw new IllegalArgumentException("unknown volatile flags");
        }
    }

    /** The flag that TPM_SetCapability calls by this number, or null. */
    public static @Nullable Flag numbered(int number) {
        return number >= 1 && number <= Flag.values().length ? Flag.values()[number - 1] : null;
    }

    public boolean is(Flag flag) {
        return ((bits >> flag.ordinal()) & 1) != 0;
    }

    public StClearFlags with(Flag flag, boolean value) {
        int bit = 1 << flag.ordinal();
        return new StClearFlags(value ? bits | bit : bits & ~bit);
    }

    /** The structure as TPM_GetCapability gives it out. */
    public byte[] toStructure() {
        return Flags.structure(STRUCTURE_TAG, bits, Flag.values().length);
    }
}
