package org.vtpm.api.engine;

/** An engine cannot be opened with the state it was given; the message says what is wrong with it, never its content. */
public final class EngineStateException extends Exception {
    private static final long serialVersionUID = 1L;

    public EngineStateException(String message) {
        super(message);
    }

    public EngineStateException(String message, Throwable cause) {
        super(message, cause);
    }
}
