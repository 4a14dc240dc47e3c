package org.vtpm.api.engine;

/**
 * The three parts of a TPM's state, told apart by how long they live. They are the same three that swtpm stores as
 * {@code permall}, {@code savestate} and {@code volatilestate}.
 */
public enum StateKind {
    /** Survives loss of power: keys, owner, NV, permanent flags. Every instance has it from manufacture on. */
    PERMANENT,
    /** What TPM_SaveState kept, for one TPM_Startup(ST_STATE). Absent most of the time. */
    SAVED,
    /** A snapshot of a running TPM, to suspend it and resume it elsewhere. Absent while the TPM runs. */
    VOLATILE
}
