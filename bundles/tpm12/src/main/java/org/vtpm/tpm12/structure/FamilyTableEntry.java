package org.vtpm.tpm12.structure;

import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;

/**
 * TPM_FAMILY_TABLE_ENTRY (TPM Main Part 2, section 20.3): delegations that are managed together.
 *
 * @param flags {@link #ENABLED}, {@link #ADMIN_LOCK}
 */
@Tag(0x0025)
public record FamilyTableEntry(@U8 int familyLabel, int familyId, int verificationCount, int flags) {
    /** TPM_FAMFLAG_ENABLED: its delegations count. */
    public static final int ENABLED = 1;

    /** TPM_DELEGATE_ADMIN_LOCK: nobody may manage it without an owner. */
    public static final int ADMIN_LOCK = 2;

    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    public FamilyTableEntry with(int flag, boolean value) {
        return new FamilyTableEntry(familyLabel, familyId, verificationCount, value ? flags | flag : flags & ~flag);
    }

    /** Voids all delegations of this family that are not updated. */
    public FamilyTableEntry withNextVerificationCount() {
        return new FamilyTableEntry(familyLabel, familyId, verificationCount + 1, flags);
    }
}
