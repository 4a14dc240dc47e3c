package org.vtpm.api.manager;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
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
     * Like {@link #execute}, but if nothing else of the instance is under way the calling thread may carry the command out
     * before this returns. That spares the guest the wait for another thread to wake up. It is for callers that put
     * another thread in the place of one that does not come back: an engine may have a fault.
     *
     * @param mayLast asked, on the calling thread, before it carries out a command that takes more than a moment: one that
     *     uses a private key, say, or waits for the disk. If it says no, the command is queued
     */
    default CompletableFuture<byte[]> executeHere(int locality, byte[] command, BooleanSupplier mayLast) {
        return execute(locality, command);
    }
}
