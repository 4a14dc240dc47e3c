package org.vtpm.manager;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.vtpm.api.transport.EngineLink;

/** Where one powered-on engine runs. */
sealed interface EngineSite permits SharedSite, ProcessSite {
    /** The way to the engine that should be taken now, or nothing if no transport there is can carry it. From any thread. */
    Optional<Route> route();

    /** Why there is no {@link #route}, for people. From any thread. */
    String obstacle();

    /** Whether the TPM can stay in the engine it is in; else it has to {@link #move} while no link to it is open. */
    boolean stays();

    /**
     * Takes what the TPM is doing out of an engine that cannot stay, and goes on with it in the best engine that accepts
     * it; until there is one, what it was doing waits here.
     *
     * @throws IOException if that is lost, or the stored state cannot be opened
     * @throws InterruptedException if the thread was interrupted; what it was doing waits here
     */
    void move() throws IOException, InterruptedException;

    /**
     * The volatile part of the TPM's state, if it waits here for an engine.
     *
     * @return a copy; the caller zeroes it
     */
    Optional<byte[]> held();

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
