package org.vtpm.tpm12.structure;

/** A bit of {@link KeyFlags}. */
public enum KeyFlag {
    REDIRECTION(0x0000_0001),
    MIGRATABLE(0x0000_0002),
    IS_VOLATILE(0x0000_0004),
    PCR_IGNORED_ON_READ(0x0000_0008),
    MIGRATE_AUTHORITY(0x0000_0010);

    private final int mask;

    KeyFlag(int mask) {
        this.mask = mask;
    }

    /** The bit. */
    public int mask() {
        return mask;
    }
}
