package org.vtpm.crypto;

/** Data that was to be authentic is not: it was changed, cut, or made under another key. */
public final class AuthenticationException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Says no more than that: which check failed is nobody's business. */
    public AuthenticationException() {
        super("authentication failed: the data was changed, or was made under another key");
    }
}
