package org.vtpm.manager;

import java.nio.ByteBuffer;
import org.vtpm.api.engine.TpmFamily;

/** The few responses that the manager gives in an engine's stead, and what it reads of an engine's own. */
final class Responses {
    /** Tag, size and code: all there is in a failure response (TPM Main Part 2, section 6; TPM 2.0 Part 3, section 5.2). */
    private static final int HEADER = 10;

    private static final short TPM_TAG_RSP_COMMAND = 0x00C4;
    private static final int TPM_FAIL = 0x009;
    private static final int TPM_RETRY = 0x800;

    private static final short TPM_ST_NO_SESSIONS = (short) 0x8001;
    private static final int TPM_RC_FAILURE = 0x101;
    private static final int TPM_RC_RETRY = 0x922;

    private Responses() {}

    /** The family's general failure. */
    static byte[] failure(TpmFamily family) {
        return family == TpmFamily.TPM_1_2
                ? header(TPM_TAG_RSP_COMMAND, TPM_FAIL)
                : header(TPM_ST_NO_SESSIONS, TPM_RC_FAILURE);
    }

    /** The family's word for: busy, send it again. */
    static byte[] retry(TpmFamily family) {
        return family == TpmFamily.TPM_1_2
                ? header(TPM_TAG_RSP_COMMAND, TPM_RETRY)
                : header(TPM_ST_NO_SESSIONS, TPM_RC_RETRY);
    }

    /** The return code of a response, or -1 if it is too short to have one. */
    static int code(byte[] response) {
        return response.length < HEADER ? -1 : ByteBuffer.wrap(response).getInt(6);
    }

    /** The ordinal of a command in hexadecimal, for logs. */
    static String ordinal(byte[] command) {
        return command.length < HEADER
                ? "none"
                : String.format("0x%08X", ByteBuffer.wrap(command).getInt(6));
    }

    private static byte[] header(short tag, int code) {
        return ByteBuffer.allocate(HEADER)
                .putShort(tag)
                .putInt(HEADER)
                .putInt(code)
                .array();
    }
}
