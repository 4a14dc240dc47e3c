package org.vtpm.tpm12.structure;

import org.vtpm.codec.Tag;

/** TPM_NV_ATTRIBUTES (TPM Main Part 2, section 19.2): who may read and write an NV area, and when. */
@Tag(0x0017)
public record NvAttributes(int attributes) {
    /** TPM_NV_PER_*: a bit of the attributes. */
    public enum Permission {
        READ_STCLEAR(0x8000_0000),
        AUTHREAD(0x0004_0000),
        OWNERREAD(0x0002_0000),
        PPREAD(0x0001_0000),
        GLOBALLOCK(0x0000_8000),
        WRITE_STCLEAR(0x0000_4000),
        WRITEDEFINE(0x0000_2000),
        WRITEALL(0x0000_1000),
        AUTHWRITE(0x0000_0004),
        OWNERWRITE(0x0000_0002),
        PPWRITE(0x0000_0001);

        private final int mask;

        Permission(int mask) {
            this.mask = mask;
        }
    }

    /** Attributes with just these permissions. */
    public static NvAttributes of(Permission... permissions) {
        int bits = 0;
        for (Permission permission : permissions) {
            bits |= permission.mask;
        }
        return new NvAttributes(bits);
    }

    public boolean has(Permission permission) {
        return (attributes & permission.mask) != 0;
    }
}
