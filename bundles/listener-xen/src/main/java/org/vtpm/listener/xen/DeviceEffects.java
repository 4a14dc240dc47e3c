package org.vtpm.listener.xen;

import java.io.IOException;
import java.util.UUID;

/** What a device does to the world outside. */
interface DeviceEffects {
    /** Asks for the TPM; {@link Device#granted} or {@link Device#denied} answers, later. */
    void claim(Claim claim);

    /** Asks for the TPM no more; what was asked is answered all the same, and soon. */
    void withdraw(UUID tpm);

    /** Gives the TPM back, because the guest or the device has gone; {@link Device#released} answers, later. */
    void release(UUID tpm);

    /** Tells the guest which protocol is spoken here. */
    void announce() throws IOException;

    /** Lets the toolstack see that this end waits; {@link Device#paused} follows. */
    void pause();

    /** Sets the state of this end. Does nothing if the toolstack has removed the device. */
    void state(XenbusState state) throws IOException;

    /**
     * Maps the guest's page, binds its event channel and begins to serve it.
     *
     * @param interrupted whether an earlier backend may have begun the request that is in the page
     * @throws LinkException if the guest gave what cannot be mapped or bound
     */
    void connect(Nodes.Link link, boolean interrupted) throws IOException, LinkException;

    /**
     * Stops to serve the guest and gives its page and its event channel back.
     *
     * @param unplugged whether the guest still waits for an answer, if a command is under way; else its page may be anything now
     */
    void disconnect(boolean unplugged);

    /** Tells the operator, in XenStore and in the log, why the device does not work. */
    void report(String reason) throws IOException;

    /** Takes back what was reported. */
    void clearReport() throws IOException;

    /** Forgets the device. */
    void forget();

    /**
     * A wish for a TPM.
     *
     * @param tpm which
     * @param resumed whether an earlier backend had the device: the TPM must go on as it is, also if the guest has closed its
     *     end, or it could have its PCRs reset by waiting for a new backend
     * @param incoming whether the guest comes from another domain that has it now, and must find it as it was
     */
    record Claim(UUID tpm, boolean resumed, boolean incoming) {}

    /** The guest's page or event channel cannot be used. */
    final class LinkException extends Exception {
        private static final long serialVersionUID = 1L;

        LinkException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
