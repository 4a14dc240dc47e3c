package org.vtpm.hosttpm;

import java.io.IOException;

/** The host's TPM was not reached, or what it sent is no response. The message says where, what, and what to do. */
public final class HostTpmException extends IOException {
    private static final long serialVersionUID = 1L;

    HostTpmException(String message) {
        super(message);
    }

    HostTpmException(String message, Throwable cause) {
        super(message, cause);
    }
}
