package org.vtpm.tpm12.structure;

/** TPM_PAYLOAD_TYPE (TPM Main Part 2, section 4.7): what an encrypted structure holds. */
public final class PayloadType {
    public static final int ASYM = 0x01;
    public static final int BIND = 0x02;
    public static final int MIGRATE = 0x03;
    public static final int MAINT = 0x04;
    public static final int SEAL = 0x05;
    public static final int MIGRATE_RESTRICTED = 0x06;
    public static final int MIGRATE_EXTERNAL = 0x07;
    public static final int CMK_MIGRATE = 0x08;

    private PayloadType() {}
}
