package org.vtpm.listener.xen;

import java.util.concurrent.CompletableFuture;

/** What carries out the commands that come by a device. Thread-safe; the caller's thread never waits. */
@FunctionalInterface
interface Target {
    /**
     * Carries out a command.
     *
     * @param locality that the guest claims
     * @param command one whole command; whoever carries it out may change the array afterwards
     */
    CompletableFuture<byte[]> execute(int locality, byte[] command);
}
