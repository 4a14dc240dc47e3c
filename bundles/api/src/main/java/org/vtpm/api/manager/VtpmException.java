package org.vtpm.api.manager;

/** An operator's order was not carried out; the message says what happened, to which instance, and what to do. */
public final class VtpmException extends Exception {
    private static final long serialVersionUID = 1L;

    public VtpmException(String message) {
        super(message);
    }

    public VtpmException(String message, Throwable cause) {
        super(message, cause);
    }
}
