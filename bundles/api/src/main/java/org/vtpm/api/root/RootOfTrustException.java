package org.vtpm.api.root;

/** A root of trust did not seal or unseal; the message is for the operator and holds no secret. */
public final class RootOfTrustException extends Exception {
    private static final long serialVersionUID = 1L;

    public RootOfTrustException(String message) {
        super(message);
    }

    public RootOfTrustException(String message, Throwable cause) {
        super(message, cause);
    }
}
