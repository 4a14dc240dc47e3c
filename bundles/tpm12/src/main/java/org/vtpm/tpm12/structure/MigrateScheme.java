package org.vtpm.tpm12.structure;

/** TPM_MIGRATE_SCHEME (TPM Main Part 2, section 4.10): how a key may be migrated. */
public final class MigrateScheme {
    public static final int MIGRATE = 1;
    public static final int REWRAP = 2;

    /** A certifiable key goes to one of its migration authorities. */
    public static final int RESTRICT_MIGRATE = 4;

    /** A certifiable key goes where one of its migration authorities approves it. */
    public static final int RESTRICT_APPROVE = 5;

    private MigrateScheme() {}
}
