package org.vtpm.api.manager;

import java.io.IOException;
import java.net.URI;
import java.util.Set;

/**
 * Implemented by listeners: serves guest-facing addresses of some URI schemes. Registered as a service; the manager opens
 * the endpoints of running instances on it, and closes them when they stop or the service goes.
 */
public interface EndpointHandler {
    /** The URI schemes it serves, such as {@code tcp}; in lower case. */
    Set<String> schemes();

    /**
     * Checks an address without opening it.
     *
     * @throws IllegalArgumentException if it is not one this handler can serve; the message says what one looks like
     */
    void check(URI endpoint);

    /**
     * Starts to serve an address.
     *
     * @param channel where the guest's commands go
     * @throws IOException if the address cannot be served, such as a port in use; the message is for the operator
     */
    void open(URI endpoint, GuestChannel channel) throws IOException;

    /** Stops to serve an address and drops its guests. Does nothing if it is not open. Does not throw. */
    void close(URI endpoint);
}
