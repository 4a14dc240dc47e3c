package org.vtpm.itests.tpm12;

import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;

import java.util.Arrays;

/**
 * What authorizes a wrapped command in a transport session that does not encrypt (TPM Main Part 3, section 24.2). For
 * commands and responses without handles and without authorization of their own.
 */
final class WrappedCommand {
    private static final int HEADER = 10;
    private static final int ORDINAL = 6;
    private static final int SIZE = Integer.BYTES;
    /** Behind the ticks and the locality. */
    private static final int RESPONSE = 12;

    private WrappedCommand() {}

    /** The digest of a request: ordinal, size of the wrapped command, and the digest of that. */
    static byte[] requestDigest(byte[] parameters) {
        return sha1(
                u32(Ordinal.EXECUTE_TRANSPORT.code()),
                slice(parameters, 0, SIZE),
                sha1(
                        slice(parameters, SIZE + ORDINAL, SIZE + HEADER),
                        slice(parameters, SIZE + HEADER, parameters.length)));
    }

    /**
     * The digest of a successful response.
     *
     * @param request the whole command
     * @param body the response without header and authorization
     */
    static byte[] responseDigest(byte[] request, byte[] body) {
        byte[] wrapped = slice(body, RESPONSE + SIZE, body.length);
        byte[] ordinal = slice(request, HEADER + SIZE + ORDINAL, HEADER + SIZE + HEADER);
        byte[] returnCode = slice(wrapped, ORDINAL, HEADER);
        byte[] inner = Arrays.equals(returnCode, new byte[SIZE])
                ? sha1(returnCode, ordinal, slice(wrapped, HEADER, wrapped.length))
                : sha1(returnCode, ordinal);
        return sha1(u32(0), u32(Ordinal.EXECUTE_TRANSPORT.code()), slice(body, 0, RESPONSE + SIZE), inner);
    }

    private static byte[] slice(byte[] bytes, int from, int to) {
        int start = Math.min(from, bytes.length);
        return Arrays.copyOfRange(bytes, start, Math.max(start, Math.min(to, bytes.length)));
    }
}
