package org.vtpm.api.manager;

import java.util.UUID;

/**
 * Serves TPMs that run in domains of their own, such as Xen's vtpm-stubdom, as its manager vtpmmgr does: keeps the key of
 * each one's state, and lets it use a little of the host's TPM. Registered as a service; whoever carries the commands of such
 * TPMs calls it. Thread-safe.
 */
public interface StubdomCommands {
    /**
     * Which TPM asks. Its carrier vouches for it, and lets one caller at a time act for a TPM.
     *
     * @param vtpm its UUID
     * @param label the security label of its domain (XSM); empty if the carrier knows none
     */
    record Caller(UUID vtpm, String label) {}

    /**
     * Carries out one command. This waits for the storage or the host's TPM, so not on a thread that serves others too.
     *
     * @param command of vtpmmgr (tag 0x01C1 or 0x01C2), or of TPM 1.2 for the host's TPM; anything else is answered too
     * @return one whole response, at most 4088 bytes
     */
    byte[] execute(Caller caller, byte[] command);
}
