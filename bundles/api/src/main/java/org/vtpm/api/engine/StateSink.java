package org.vtpm.api.engine;

import java.io.IOException;
import java.util.Map;

/** Where an engine puts state that has to outlive the command that changed it. */
@FunctionalInterface
public interface StateSink {
    /**
     * Makes a change durable. When this returns, the change survives loss of power; when it throws, nothing of it was
     * stored and the engine undoes the command.
     *
     * @param changes the parts that changed, all stored or none; an empty array erases that part. The arrays hold secrets
     *     and stay the caller's.
     * @throws IOException if the change could not be made durable
     */
    void save(Map<StateKind, byte[]> changes) throws IOException;
}
