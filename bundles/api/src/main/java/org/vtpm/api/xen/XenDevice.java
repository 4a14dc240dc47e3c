package org.vtpm.api.xen;

import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One TPM device of one domain.
 *
 * @param domain the guest's domain id
 * @param device the device's number in the guest
 * @param guest the domain's name, or empty if it has none yet
 * @param tpm the instance that the toolstack wants in it, or null if it names none
 * @param stubdom whether the domain is this TPM itself, and only has its key here
 * @param phase how far it is, in lower case, such as {@code connected}
 * @param backend the XenBus state of this end, 0 to 8
 * @param frontend the XenBus state of the guest's end, 0 to 8
 * @param ringRef the grant of its page, while it is connected
 * @param eventChannel the guest's event channel, while it is connected
 * @param busy whether a command is under way
 * @param counters what happened since it was connected
 * @param problem why it does not work, or null
 */
public record XenDevice(
        int domain,
        int device,
        String guest,
        @Nullable UUID tpm,
        boolean stubdom,
        String phase,
        int backend,
        int frontend,
        OptionalLong ringRef,
        OptionalLong eventChannel,
        boolean busy,
        Counters counters,
        @Nullable String problem) {

    /**
     * Counts since the guest was connected.
     *
     * @param commands commands that reached the instance, or who serves TPMs in domains of their own
     * @param refused requests that the listener answered itself, because they made no sense or no instance runs
     * @param idleEvents events without a request
     * @param muted how often the guest was not listened to for a while, because of too many of both
     */
    public record Counters(long commands, long refused, long idleEvents, long muted) {
        /** Nothing happened yet. */
        public static final Counters NONE = new Counters(0, 0, 0, 0);
    }
}
