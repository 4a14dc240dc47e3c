package org.vtpm.api.manager;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.vtpm.api.engine.TpmFamily;

/** One instance as a listener sees it: a place to send a guest's commands. Thread-safe. */
public interface GuestChannel {
    /** The instance's identity, for logs. */
    UUID instance();

    /** The instance's name, for logs. */
    String name();

    /** The family whose command format the guest speaks. */
    TpmFamily family();

    /**
     * Queues a command. Commands of one instance run in the order they were queued, one at a time. The caller's thread
     * never waits.
     *
     * @param locality 0 to 4
     * @param command one whole command whose header's size field was checked against its length
     * @return completes with the response, also when the instance cannot answer: then with the family's general failure
     *     code. It never completes exceptionally. It may complete on any thread
     */
    CompletableFuture<byte[]> execute(int locality, byte[] command);

    /**
     * Like {@link #execute}, but a command that the engine carries out in a moment may be run by the calling thread, before
     * this returns. That spares the guest the wait for another thread to wake up. It is for callers that put another
     * thread in the place of one that does not come back: an engine may have a fault.
     */
    default CompletableFuture<byte[]> executeHere(int locality, byte[] command) {
        return execute(locality, command);
    }
}
