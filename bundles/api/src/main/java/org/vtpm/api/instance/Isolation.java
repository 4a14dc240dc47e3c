package org.vtpm.api.instance;

/** Where an instance's engine runs. */
public enum Isolation {
    /** In the manager's JVM, with other engines. */
    SHARED,
    /** In a process of its own, {@code vtpmd}, as in the original vTPM manager. */
    PROCESS
}
