package org.vtpm.api.instance;

/** What operators want an instance to do, as it is remembered while the manager does not run. */
public enum Wanted {
    /** To be powered off. */
    STOPPED,
    /** To run; it is started again when the manager starts. */
    RUNNING,
    /** To rest until it is resumed with the snapshot in its state. In no other case does a snapshot count. */
    SUSPENDED
}
