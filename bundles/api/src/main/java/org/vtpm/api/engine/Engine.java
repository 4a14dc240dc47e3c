package org.vtpm.api.engine;

/**
 * One running TPM. An engine is used by one thread at a time, not always the same one; it starts no threads and keeps no
 * reference to the sink.
 */
public interface Engine extends AutoCloseable {
    /**
     * Runs one command to its end. Whatever the guest sent gets an answer in the family's own format: malformed input
     * its error code, an internal fault the family's general failure code, with the engine as it was before.
     *
     * @param locality 0 to 4, as the guest's interface vouches for it
     * @param command one whole command, header included
     * @param sink receives permanent state before the response to the command that changed it is returned
     * @return one whole response, header included
     */
    byte[] execute(int locality, byte[] command, StateSink sink);

    /**
     * Whether the engine, as it is now, carries a command out within some ten microseconds: without a private key, without
     * a self-test, and without the sink. A thread that serves other guests too may run such a command itself.
     *
     * @param command one whole command, header included
     */
    default boolean isBrief(byte[] command) {
        return false;
    }

    /**
     * Gives the TPM a signal of a dynamic launch. Commands may come between two signals.
     *
     * @param data what is measured, for {@link LaunchSignal#HASH_DATA}; empty for the others
     * @param sink receives permanent state before the call returns
     * @return 0, or the family's code for the signal's failure: out of turn or before the TPM's start-up, after which the
     *     TPM is in failure mode, or a change of state that could not be stored and was undone
     */
    int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink);

    /**
     * Takes a snapshot of all that loss of power would destroy, between two commands. The engine is left as it is; whoever
     * goes on with the snapshot closes it first, and resumes a snapshot once only: a TPM that runs twice, or a second time
     * from the same point, would take back what its guest relies on.
     *
     * @return the part {@link StateKind#VOLATILE}, for {@link EngineFactory#open} together with the permanent and saved parts
     *     as the sink holds them now; it holds secrets, and the caller zeroes it
     */
    byte[] snapshot();

    /** Forgets all state and zeroes its secrets: loss of power. Nothing may be executed afterwards. */
    @Override
    void close();
}
