package org.vtpm.engine.tpm12.structure;

/** TPM_MIGRATE_SCHEME (TPM Main Part 2, section 4.10): how a key may be migrated. */
public final class MigrateScheme {
    public static final int MIGRATE = 1;
    public static final int REWRAP = 2;

    private MigrateScheme() {}
}
