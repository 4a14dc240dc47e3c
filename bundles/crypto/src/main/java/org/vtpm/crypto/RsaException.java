package org.vtpm.crypto;

/**
 * Data or a key does not fit an RSA operation. Says no more on purpose: which check a ciphertext failed would help whoever
 * made it to decrypt another.
 */
public final class RsaException extends Exception {
    private static final long serialVersionUID = 1L;

    public RsaException(String message) {
        super(message);
    }
}
