package org.vtpm.engine.tpm12.structure;

/** TPM_RESOURCE_TYPE (TPM Main Part 2, section 4.1). */
public final class ResourceType {
    public static final int KEY = 1;
    public static final int AUTH = 2;
    public static final int HASH = 3;
    public static final int TRANSPORT = 4;
    public static final int CONTEXT = 5;
    public static final int COUNTER = 6;
    public static final int DELEGATE = 7;
    public static final int DAA = 8;

    private ResourceType() {}
}
