package org.vtpm.api.root;

/**
 * Commands of others to the host's own TPM, in the format of TPM 1.2. A root of trust that is a TPM registers it as a service;
 * it shares its way to the TPM, which serves one at a time. Only commands that are on a list of harmless ones get there: they
 * need no authorization, change nothing, and leave nothing in the TPM. Thread-safe.
 */
public interface HostTpmCommands {
    /**
     * Has the TPM execute a command, and waits for it. A TPM 2.0 gets the commands that have a counterpart there translated.
     *
     * @param command one whole command of TPM 1.2; anything else is answered as a TPM does
     * @return one whole response of TPM 1.2; TPM_DISABLED_CMD if the command is not allowed
     * @throws RootOfTrustException if the TPM cannot be reached, or does not answer as one
     */
    byte[] execute(byte[] command) throws RootOfTrustException;
}
