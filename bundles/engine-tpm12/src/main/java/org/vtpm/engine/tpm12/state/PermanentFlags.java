package org.vtpm.engine.tpm12.state;

import org.jspecify.annotations.Nullable;

/**
 * TPM_PERMANENT_FLAGS (TPM Main Part 2, section 7.1).
 *
 * @param bits bit n is the n-th flag of the structure, counted from 0
 */
@SuppressWarnings("EnumOrdinal") // the order of the flags is that of the structure
public record PermanentFlags(int bits) {
    private static final int STRUCTURE_TAG = 0x001F;

    /** The flags in the structure's order; TPM_SetCapability numbers them from 1. */
    public enum Flag {
        DISABLE,
        OWNERSHIP,
        DEACTIVATED,
        READ_PUBEK,
        DISABLE_OWNER_CLEAR,
        ALLOW_MAINTENANCE,
        PHYSICAL_PRESENCE_LIFETIME_LOCK,
        PHYSICAL_PRESENCE_HW_ENABLE,
        PHYSICAL_PRESENCE_CMD_ENABLE,
        CEKP_USED,
        TPM_POST,
        TPM_POST_LOCK,
        FIPS,
        OPERATOR,
        ENABLE_REVOKE_EK,
        NV_LOCKED,
        READ_SRK_PUB,
        TPM_ESTABLISHED,
        MAINTENANCE_DONE,
        DISABLE_FULL_DA_LOGIC_INFO
    }

    /** As a part leaves this factory: enabled, active, without owner. */
    public static final PermanentFlags FACTORY = new PermanentFlags(0)
            .with(Flag.OWNERSHIP, true)
            .with(Flag.READ_PUBEK, true)
            .with(Flag.ALLOW_MAINTENANCE, true)
            .with(Flag.ENABLE_REVOKE_EK, true);

    public PermanentFlags {
        if (bits >>> Flag.values().length != 0) {
            throw new IllegalArgumentException("unknown permanent flags");
        }
    }

    /** The flag that TPM_SetCapability calls by this number, or null. */
    public static @Nullable Flag numbered(int number) {
        return number >= 1 && number <= Flag.values().length ? Flag.values()[number - 1] : null;
    }

    public boolean is(Flag flag) {
        return ((bits >> flag.ordinal()) & 1) != 0;
    }

    public PermanentFlags with(Flag flag, boolean value) {
        int bit = 1 << flag.ordinal();
        return new PermanentFlags(value ? bits | bit : bits & ~bit);
    }

    /** The structure as TPM_GetCapability gives it out. */
    public byte[] toStructure() {
        return Flags.structure(STRUCTURE_TAG, bits, Flag.values().length);
    }
}
