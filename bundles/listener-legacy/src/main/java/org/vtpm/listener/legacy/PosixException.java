package org.vtpm.listener.legacy;

import java.io.IOException;

/** A call of the C library failed. The message says what was tried and why it failed. */
final class PosixException extends IOException {
    /** Not permitted; {@code /dev/vtpm} says so while another process has it open. */
    static final int EPERM = 1;

    static final int ENOENT = 2;
    static final int EIO = 5;
    static final int ENXIO = 6;
    static final int EBUSY = 16;
    static final int ENODEV = 19;

    private static final long serialVersionUID = 1L;

    private final int errno;

    PosixException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
