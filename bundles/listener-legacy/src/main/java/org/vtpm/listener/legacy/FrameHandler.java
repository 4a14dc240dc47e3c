package org.vtpm.listener.legacy;

import java.util.function.Consumer;

/** What is done with the frames of one pair of FIFOs. */
interface FrameHandler {
    /**
     * Handles one frame without waiting for anything.
     *
     * @param frame prefix and command, lengths checked
     * @param answer takes the one frame that answers it, on any thread
     */
    void handle(byte[] frame, Consumer<byte[]> answer);

    /** The answer to a frame that begins with this instance number and then makes no sense. */
    byte[] refuse(long instance);
}
