package org.vtpm.listener.xen;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What XenStore says of a device at one moment.
 *
 * @param present whether there is a backend's folder
 * @param alive whether XenStore knows the guest's domain
 * @param online whether the toolstack wants the device
 * @param uuid the TPM that the toolstack wants in it, or null if that cannot be known
 * @param fault why the toolstack's nodes make no sense, or null
 * @param backend the state of this end
 * @param ready what the node {@code ready} of this end says, or empty
 * @param incoming whether the toolstack is receiving the domain from another one that goes on in it
 * @param frontend the state of the guest's end
 * @param link what the guest's end wants to be connected with, or null if it does not say
 * @param linkFault why that makes no sense, or null
 */
record Nodes(
        boolean present,
        boolean alive,
        boolean online,
        @Nullable UUID uuid,
        @Nullable String fault,
        XenbusState backend,
        String ready,
        boolean incoming,
        XenbusState frontend,
        @Nullable Link link,
        @Nullable String linkFault) {

    /**
     * How a frontend is reached.
     *
     * @param ringRef the grant of its page
     * @param port its event channel
     */
    record Link(int ringRef, int port) {}

    /** The same, with what the guest says. */
    Nodes with(XenbusState itsState, @Nullable Link itsLink, @Nullable String itsFault) {
        return new Nodes(present, alive, online, uuid, fault, backend, ready, incoming, itsState, itsLink, itsFault);
    }

    static final Nodes ABSENT =
            new Nodes(false, false, false, null, null, XenbusState.UNKNOWN, "", false, XenbusState.UNKNOWN, null, null);
}
