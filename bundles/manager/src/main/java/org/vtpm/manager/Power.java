package org.vtpm.manager;

import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.InstanceState;

/**
 * An instance's state with all that belongs to it, replaced as a whole.
 *
 * @param host the engine: there when the instance runs, and when it starts as soon as its first command goes to it
 * @param reason why it failed; there exactly when it did
 */
record Power(
        InstanceState state,
        @Nullable EngineHost host,
        @Nullable String reason) {
    static final Power OFF = new Power(InstanceState.STOPPED, null, null);
    static final Power STARTING = new Power(InstanceState.STARTING, null, null);

    static final Power SUSPENDED = new Power(InstanceState.SUSPENDED, null, null);

    static Power starting(EngineHost host) {
        return new Power(InstanceState.STARTING, host, null);
    }

    static Power on(EngineHost host) {
        return new Power(InstanceState.RUNNING, host, null);
    }

    static Power failed(String reason) {
        return new Power(InstanceState.FAILED, null, reason);
    }
}
