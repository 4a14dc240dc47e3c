package org.vtpm.transport.fifo.wire;

import java.io.IOException;

/** A message that does not belong on this channel: the channel is of no use any more. */
public final class FrameException extends IOException {
    private static final long serialVersionUID = 1L;

    public FrameException(String message) {
        super(message);
    }

    FrameException(String message, Throwable cause) {
        super(message, cause);
    }
}
