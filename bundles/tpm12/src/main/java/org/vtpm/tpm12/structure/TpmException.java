package org.vtpm.tpm12.structure;

/** Ends a command with a return code. Part of normal operation, so it carries no stack trace. */
public final class TpmException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ReturnCode code;

    public TpmException(ReturnCode code) {
        super(code.name(), null, false, false);
        this.code = code;
    }

    /** What the response says. */
    public ReturnCode code() {
        return code;
    }

    /** Ends the command with {@code code} unless {@code condition} holds. */
    public static void require(boolean condition, ReturnCode code) {
        if (!condition) {
            throw new TpmException(code);
        }
    }
}
