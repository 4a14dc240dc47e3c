package org.vtpm.api.engine;

/** What is done to a TPM right after power-on, before its guest's first command (TPM Main Part 3, section 3.2). */
public enum StartupMode {
    /** Nothing: the guest's firmware sends TPM_Startup itself. */
    NONE,
    /** TPM_Startup(ST_CLEAR): PCRs and volatile flags at their defaults. */
    CLEAR,
    /** TPM_Startup(ST_STATE): resumes what TPM_SaveState kept; without it a TPM 1.2 enters failure mode. */
    STATE,
    /** TPM_Startup(ST_DEACTIVATED): the TPM answers, but is deactivated until the next power-on. */
    DEACTIVATED
}
