package org.vtpm.api.transport;

import java.io.IOException;

/** An open channel to one engine. Used by one thread at a time. */
public interface EngineLink extends AutoCloseable {
    /**
     * Carries a command to the engine and its response back. State that the engine saves meanwhile goes to the sink the
     * link was opened with.
     *
     * @param locality 0 to 4
     * @param command one whole command, header included
     * @return one whole response, header included
     * @throws IOException if the channel failed; whether the engine ran the command is not known
     * @throws InterruptedException if the thread was interrupted; the link is of no use any more
     */
    byte[] execute(int locality, byte[] command) throws IOException, InterruptedException;

    /**
     * Whether a command is carried out by the calling thread, and {@link org.vtpm.api.engine.Engine#isBrief brief}. A link
     * that waits for another thread or process says no.
     */
    default boolean isBrief(byte[] command) {
        return false;
    }

    /**
     * Takes a snapshot of the engine, between two commands. The engine is left as it is.
     *
     * @return the part {@link org.vtpm.api.engine.StateKind#VOLATILE}, as {@link org.vtpm.api.engine.Engine#snapshot}
     *     gives it; it holds secrets, and the caller zeroes it
     * @throws IOException if the channel failed; the engine may live on
     * @throws InterruptedException if the thread was interrupted; the link is of no use any more
     */
    byte[] snapshot() throws IOException, InterruptedException;

    /** Closes the channel. The engine is left as it is. Does not throw, may be called twice. */
    @Override
    void close();
}
