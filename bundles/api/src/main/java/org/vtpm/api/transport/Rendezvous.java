package org.vtpm.api.transport;

import java.util.List;
import java.util.UUID;

/**
 * Where a manager and one {@code vtpmd} process meet. It outlives the transport that made it, so that a transport may be
 * replaced while the process runs on.
 *
 * @param instance the instance the process is for
 * @param transport name of the transport that made it
 * @param arguments what the process is given on its command line to find the channel
 * @param secret 32 bytes that only the manager and this process know; given to the process on standard input. Every
 *     message carries a proof of it
 */
public record Rendezvous(UUID instance, String transport, List<String> arguments, byte[] secret) {
    public Rendezvous {
        arguments = List.copyOf(arguments);
    }

    /** Names nothing of the secret. */
    @Override
    public String toString() {
        return "Rendezvous[" + instance + ", " + transport + ", " + arguments + "]";
    }
}
