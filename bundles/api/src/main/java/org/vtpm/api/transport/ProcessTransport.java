package org.vtpm.api.transport;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;

/** Carries commands from the manager to engines in processes of their own. Registered as a service. */
public interface ProcessTransport {
    /** A short name for operators, such as {@code fifo}. */
    String name();

    /**
     * Makes a private channel for a process that is about to be launched.
     *
     * @throws IOException if the channel cannot be made
     */
    Rendezvous prepare(UUID instance) throws IOException;

    /**
     * Waits for a freshly launched process to ask for its state (LOADNVM), gives it, and opens the link.
     *
     * @param state what the process's engine is opened with
     * @param sink receives the engine's state (SAVENVM)
     * @throws IOException if the process did not ask in time, refused the state, or proved not to know the secret
     * @throws InterruptedException if the thread was interrupted while waiting
     */
    EngineLink accept(Rendezvous rendezvous, Map<StateKind, byte[]> state, StateSink sink, Duration timeout)
            throws IOException, InterruptedException;

    /**
     * Opens a link to a process that was accepted before, after the link to it was closed.
     *
     * @throws IOException if the channel is gone
     */
    EngineLink resume(Rendezvous rendezvous, StateSink sink) throws IOException;

    /** Removes the channel of a process that has ended. Does not throw. */
    void release(Rendezvous rendezvous);
}
