package org.vtpm.tpm12.structure;

/** TPM_AUTH_DATA_USAGE (TPM Main Part 2, section 5.9): when using a key has to be authorised. */
public final class AuthDataUsage {
    public static final int NEVER = 0x00;
    public static final int ALWAYS = 0x01;

    /** Reading the public part needs no authorisation, everything else does. */
    public static final int NO_READ_PUBKEY_AUTH = 0x03;

    private AuthDataUsage() {}
}
