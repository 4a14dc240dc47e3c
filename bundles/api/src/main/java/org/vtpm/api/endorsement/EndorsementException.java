package org.vtpm.api.endorsement;

/** An authority did not vouch for a key; the message is for the operator and says what to do. */
public final class EndorsementException extends Exception {
    private static final long serialVersionUID = 1L;

    public EndorsementException(String message) {
        super(message);
    }

    public EndorsementException(String message, Throwable cause) {
        super(message, cause);
    }
}
