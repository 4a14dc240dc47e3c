package org.vtpm.listener.xen.xenstore;

import java.io.IOException;

/** XenStore refused a request. The connection goes on. */
public final class XenStoreException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String error;

    XenStoreException(String error, String request) {
        super("XenStore answered " + error + " to: " + request);
        this.error = error;
    }

    /** The error's name as in {@code errno.h}, such as {@code ENOENT}. */
    public String error() {
        return error;
    }
}
