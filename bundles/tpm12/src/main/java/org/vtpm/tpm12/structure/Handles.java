package org.vtpm.tpm12.structure;

/** Reserved handles (TPM Main Part 2, section 4.4.1). */
public final class Handles {
    public static final int SRK = 0x40000000;
    public static final int OWNER = 0x40000001;
    public static final int REVOKE = 0x40000002;
    public static final int TRANSPORT = 0x40000003;
    public static final int OPERATOR = 0x40000004;
    public static final int ADMIN = 0x40000005;
    public static final int EK = 0x40000006;

    private Handles() {}

    /** Whether a handle is reserved for something that is no key. */
    public static boolean namesNoKey(int handle) {
        return handle >= OWNER && handle <= ADMIN;
    }
}
