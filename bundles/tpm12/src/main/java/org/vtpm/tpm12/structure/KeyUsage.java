package org.vtpm.tpm12.structure;

/** TPM_KEY_USAGE (TPM Main Part 2, section 5.8): what a key may be used for. */
public final class KeyUsage {
    public static final int SIGNING = 0x0010;
    public static final int STORAGE = 0x0011;
    public static final int IDENTITY = 0x0012;
    public static final int AUTHCHANGE = 0x0013;
    public static final int BIND = 0x0014;
    public static final int LEGACY = 0x0015;
    public static final int MIGRATE = 0x0016;

    private KeyUsage() {}
}
