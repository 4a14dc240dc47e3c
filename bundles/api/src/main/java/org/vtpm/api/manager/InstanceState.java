package org.vtpm.api.manager;

/** What an instance is doing. */
public enum InstanceState {
    /** Powered off. */
    STOPPED,
    /** Its state is being opened and its engine started. */
    STARTING,
    /** Its engine answers commands. */
    RUNNING,
    /** It does not run; the snapshot of what it was doing waits to be resumed. */
    SUSPENDED,
    /** It cannot run; the reason says why. Nothing of its state was changed. */
    FAILED
}
