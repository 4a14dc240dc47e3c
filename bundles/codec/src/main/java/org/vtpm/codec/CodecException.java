package org.vtpm.codec;

/** Input that does not have the layout it should have. Carries no stack trace: hostile input must stay cheap. */
public final class CodecException extends Exception {
    private static final long serialVersionUID = 1L;

    /** In which way the input is wrong. */
    public enum Kind {
        /** The input ends inside a value. */
        TRUNCATED,
        /** Bytes are left behind the last value. */
        TRAILING,
        /** A boolean is neither 0 nor 1. */
        BAD_BOOL,
        /** A constant is not the one that belongs there. */
        BAD_TAG,
        /** A format version is not supported. */
        BAD_VERSION,
        /** A length or count is above its bound. */
        TOO_LONG
    }

    private final Kind kind;

    CodecException(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    /** In which way the input is wrong. */
    public Kind kind() {
        return kind;
    }
}
