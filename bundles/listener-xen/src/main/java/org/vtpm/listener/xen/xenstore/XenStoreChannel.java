package org.vtpm.listener.xen.xenstore;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A way to XenStore: bytes in both directions. One thread reads while others write, one at a time. */
public interface XenStoreChannel {
    /** Waits for bytes and puts some into a heap buffer; answers how many, or -1 at the end. */
    int read(ByteBuffer into) throws IOException;

    /** Sends one whole message from a heap buffer. */
    void write(ByteBuffer message) throws IOException;

    /** Whether a thread that waits in {@link #read} comes back when the channel is closed. */
    boolean closingEndsRead();

    /** Ends the connection: all watches and open transactions with it. */
    void close();
}
