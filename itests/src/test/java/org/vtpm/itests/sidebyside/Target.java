package org.vtpm.itests.sidebyside;

import java.io.IOException;
import java.util.Map;
import org.vtpm.itests.tpm12.TpmChannel;

/** A TPM under comparison, with its power switch. */
interface Target extends TpmChannel {
    /**
     * Powers it on. It waits for its Startup command.
     *
     * @param state what {@link #powerOff} returned, or nothing for a TPM as it leaves the factory
     */
    void powerOn(Map<String, byte[]> state) throws IOException;

    /**
     * Powers it off.
     *
     * @return the state it keeps without power, in its own format
     */
    Map<String, byte[]> powerOff() throws IOException;

    /** Has the following commands come from another locality; after power-on it is 0. */
    void locality(int locality) throws IOException;
}
