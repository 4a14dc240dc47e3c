package org.vtpm.storage;

import java.io.IOException;

/** Something in the journal is not as it was stored. */
final class UnusableException extends IOException {
    private static final long serialVersionUID = 1L;

    UnusableException(String what, IOException cause) {
        super(what + " cannot be used: " + cause.getMessage(), cause);
    }
}
