package org.vtpm.itests.tpm12;

import java.io.IOException;

/** A way to one TPM: one command out, one response back. Used by one thread. */
public interface TpmChannel extends AutoCloseable {
    /**
     * Sends the bytes as they are, also when they are no well-formed command.
     *
     * @throws IOException if the TPM hung up or did not answer in time
     */
    byte[] transmit(byte[] command) throws IOException;

    @Override
    void close();
}
