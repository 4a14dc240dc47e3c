package org.vtpm.manager;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.vtpm.api.transport.EngineLink;

/** Where one powered-on engine runs. */
sealed interface EngineSite permits SharedSite, ProcessSite {
    /** The way to the engine that should be taken now, or nothing if no transport there is can carry it. */
    Optional<Route> route();

    /** Powers the engine off, in order; it is running no command. */
    void end();

    /** Gives the engine up while it may still be running a command. From any thread. */
    void kill();

    /** The process of the engine, if it has one of its own. */
    OptionalLong pid();

    /**
     * A way to an engine.
     *
     * @param transport the service that provides it; the same service is the same way
     * @param name the transport's name
     * @param opener opens a link along it
     */
    record Route(Object transport, String name, Opener opener) {}

    /** Opens a link. */
    @FunctionalInterface
    interface Opener {
        EngineLink open() throws IOException;
    }
}
