package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;

/** Return codes that this listener gives itself (TPM Main Part 2, section 16); the console uses the same numbers. */
enum TpmError {
    SUCCESS(0x00),
    /** Nobody who may. */
    AUTHFAIL(0x01),
    /** Wrong length, or an instance that is not in the state the order needs. */
    BAD_PARAMETER(0x03),
    /** Not for this caller, or for nobody. */
    DISABLED_CMD(0x08),
    /** Nothing else fits. */
    FAIL(0x09),
    /** No such order. */
    BAD_ORDINAL(0x0A),
    /** The size in a command's header cannot be. */
    BAD_PARAM_SIZE(0x19),
    /** A tag that is not a guest's to use. */
    BADTAG(0x1E),
    /** The host's TPM cannot be reached. */
    IOERROR(0x1F),
    /** A locality that no TPM has. */
    BAD_LOCALITY(0x3D);

    private static final short TPM_TAG_RSP_COMMAND = 0x00C4;

    private final int code;

    TpmError(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /** A frame with the TPM response that has no more than this code. */
    byte[] frame(long instance) {
        return ByteBuffer.allocate(Frame.MIN)
                .putInt((int) instance)
                .putShort(TPM_TAG_RSP_COMMAND)
                .putInt(Frame.HEADER)
                .putInt(code)
                .array();
    }
}
