package org.vtpm.api.transport;

import java.io.IOException;
import java.util.UUID;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateSink;

/**
 * Carries commands from the manager to engines in its own JVM. Registered as a service; among several an operator chooses
 * by {@link #name}, else the highest {@code service.ranking} wins. The manager closes all links of a transport before the
 * transport's bundle stops.
 */
public interface EngineTransport {
    /** A short name for operators, such as {@code fifo}. */
    String name();

    /**
     * Opens a channel to an engine.
     *
     * @param instance whose engine it is, for names and logs
     * @param engine used by nobody else while the link is open
     * @param sink receives the engine's state
     * @throws IOException if the channel cannot be made
     */
    EngineLink connect(UUID instance, Engine engine, StateSink sink) throws IOException;
}
