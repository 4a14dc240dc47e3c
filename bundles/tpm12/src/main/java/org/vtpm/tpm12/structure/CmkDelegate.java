package org.vtpm.tpm12.structure;

/** TPM_CMK_DELEGATE (TPM Main Part 2, section 5.17): the certifiable migration keys whose use may be delegated. */
public final class CmkDelegate {
    private CmkDelegate() {}

    /** The bit for keys of a usage, or 0 if these can never be delegated. */
    public static int bit(int keyUsage) {
        return switch (keyUsage) {
            case KeyUsage.SIGNING -> 1 << 31;
            case KeyUsage.STORAGE -> 1 << 30;
            case KeyUsage.BIND -> 1 << 29;
            case KeyUsage.LEGACY -> 1 << 28;
            case KeyUsage.MIGRATE -> 1 << 27;
            default -> 0;
        };
    }
}
