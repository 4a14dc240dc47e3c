package org.vtpm.tpm12.structure;

/** NV indices with a meaning of their own, and the parts of others (TPM Main Part 2, section 19.1). */
public final class NvIndex {
    /** TPM_NV_INDEX_LOCK: defining it sets nvLocked. */
    public static final int LOCK = 0xFFFF_FFFF;

    /** TPM_NV_INDEX0: writing nothing to it sets bGlobalLock. */
    public static final int GLOBAL_LOCK = 0;

    /** TPM_NV_INDEX_DIR: the data integrity register. */
    public static final int DIR = 0x1000_0001;

    /** TPM_NV_INDEX_EKCert, for good: the certificate of the endorsement key. */
    public static final int EK_CERTIFICATE = 0x1000_F000;

    /** TPM_NV_INDEX_TRIAL: defining it only tells whether there is room. */
    public static final int TRIAL = 0x0000_F004;

    /** TPM_NV_INDEX_GPIO_00: it goes with the owner (TCG PC Client Specific TPM Interface Specification 1.2). */
    public static final int GPIO_00 = 0x0001_1600;

    /** TPM_NV_INDEX_GPIO_xx: in the lowest byte, the number of a general purpose pin. */
    private static final int GPIO = GPIO_00 >>> Byte.SIZE;

    private static final int D_BIT = 0x1000_0000;
    private static final int RESERVED = 0x0F00_0000;

    private NvIndex() {}

    /** Whether only the manufacturer may define or delete it. */
    public static boolean permanent(int nvIndex) {
        return (nvIndex & D_BIT) != 0;
    }

    /** Whether an area is a window to a pin. A virtual TPM has none: nothing is stored, and zeros are read. */
    public static boolean gpio(int nvIndex) {
        return nvIndex >>> Byte.SIZE == GPIO;
    }

    /** Whether an area may be defined there. No purview is left out: an index means what the platform takes it for. */
    public static boolean definable(int nvIndex) {
        return (nvIndex & RESERVED) == 0 && nvIndex != DIR;
    }
}
