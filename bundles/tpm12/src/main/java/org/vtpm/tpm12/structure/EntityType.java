package org.vtpm.tpm12.structure;

/** TPM_ENTITY_TYPE, low byte: what kind of thing a session refers to (TPM Main Part 2, section 4.3). */
public final class EntityType {
    public static final int KEY_HANDLE = 0x01;
    public static final int OWNER = 0x02;
    public static final int DATA = 0x03;
    public static final int SRK = 0x04;
    public static final int KEY = 0x05;
    public static final int REVOKE = 0x06;
    public static final int DELEGATE_OWNER_BLOB = 0x07;
    public static final int DELEGATE_ROW = 0x08;
    public static final int DELEGATE_KEY_BLOB = 0x09;
    public static final int COUNTER = 0x0A;
    public static final int NV = 0x0B;
    public static final int OPERATOR = 0x0C;

    private EntityType() {}
}
