package org.vtpm.tpm12.structure;

/** TPM_RESOURCE_TYPE (TPM Main Part 2, section 4.1). */
public final class ResourceType {
    public static final int KEY = 1;
    public static final int AUTH = 2;
    public static final int HASH = 3;
    public static final int TRANSPORT = 4;
    public static final int CONTEXT = 5;
    public static final int COUNTER = 6;
    public static final int DELEGATE = 7;
    /** A DAA session, or in a blob the TPM_DAA_TPM of a credential. */
    public static final int DAA = 8;

    public static final int DAA_V0 = 9;
    public static final int DAA_V1 = 10;

    private ResourceType() {}
}
