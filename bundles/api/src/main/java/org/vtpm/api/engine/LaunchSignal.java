package org.vtpm.api.engine;

/**
 * The signals of a dynamic launch (DRTM), which a platform's processor gives a TPM outside of any command, always at
 * locality 4 (TCG PC Client Specific TPM Interface Specification 1.2).
 */
public enum LaunchSignal {
    /** TPM_HASH_START: the launch begins; PCRs 17 to 22 are zero from now on. */
    HASH_START,
    /** TPM_HASH_DATA: a piece, of any length, of what is launched. */
    HASH_DATA,
    /** TPM_HASH_END: what was hashed goes into PCR 17. */
    HASH_END
}
