package org.vtpm.api.storage;

import java.io.IOException;

/** Stored state is missing, damaged, another's, or cannot be written; the message names the file and what to do. */
public final class StateException extends IOException {
    private static final long serialVersionUID = 1L;

    public StateException(String message) {
        super(message);
    }

    public StateException(String message, Throwable cause) {
        super(message, cause);
    }
}
