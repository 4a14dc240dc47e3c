package org.vtpm.listener.xen.host;

import java.io.IOException;
import java.util.function.IntConsumer;

/**
 * Event channels to guests. An event that was delivered masks its port: no other comes until {@link #unmask}. What comes
 * meanwhile is delivered then, once. One thread waits; any may do the rest.
 */
public interface EventChannels extends AutoCloseable {
    /**
     * Connects with a port that a guest has offered to this domain.
     *
     * @return the local port; an event may be delivered at once
     * @throws IOException if the guest has not offered it
     */
    int bind(int domain, int remotePort) throws IOException;

    /** Ends a connection. The guest's port is then as it was before, and can be bound again. */
    void unbind(int port);

    /** Sends an event to the guest. */
    void signal(int port);

    /** Lets the next event of a port through. */
    void unmask(int port);

    /** Waits for events, a time-out or {@link #wake}, and tells the ports that have one. */
    void await(int timeoutMillis, IntConsumer port) throws IOException;

    /** Ends another thread's wait. */
    void wake();

    @Override
    void close();
}
