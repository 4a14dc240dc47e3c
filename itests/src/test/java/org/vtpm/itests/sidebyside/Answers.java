package org.vtpm.itests.sidebyside;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;

/**
 * What of a successful answer the specification fixes. The rest is random, a key, a handle, or left to the maker
 * (TPM Main Part 3 says which); of that only the length is looked at, and of a maker's text not even that.
 */
final class Answers {
    private static final int PUBKEY_HEAD = 28;
    private static final int KEY_HEAD = 43;
    private static final int KEY_TAIL = 4;

    private static final int CAP_KEY_HANDLE = 0x7;
    private static final int CAP_MANUFACTURER_PROPERTY = 0x10;
    private static final int CAP_VERSION_VAL = 0x1A;
    private static final int VERSION_VAL_FIXED = 4 + 2 + 2 + 2 + 3;

    /** Properties that each maker sets for himself (Part 2, section 21.2). */
    private static final Map<Integer, String> MAKERS_PROPERTIES = Map.of(
            0x103, "manufacturer",
            0x115, "TIS timeouts",
            0x120, "durations");

    private Answers() {}

    /** The fixed part of an answer, as text to compare. */
    static String fixed(Ordinal ordinal, byte[] parameters, Response response) {
        byte[] body = response.body();
        return switch (ordinal) {
            case OIAP, OSAP -> length(body);
            case GET_RANDOM -> hex(body, 0, 4) + " " + length(body);
            case GET_TEST_RESULT -> "maker's text";
            case GET_CAPABILITY_OWNER -> hex(body, 0, 2) + " and the maker's version, " + hex(body, 4, body.length);
            case CREATE_REVOCABLE_EK,
                    CREATE_ENDORSEMENT_KEY_PAIR,
                    READ_PUBEK,
                    OWNER_READ_PUBEK,
                    OWNER_READ_INTERNAL_PUB -> hex(body, 0, PUBKEY_HEAD) + " " + length(body);
            case TAKE_OWNERSHIP ->
                hex(body, 0, KEY_HEAD) + " " + length(body) + " " + hex(body, body.length - KEY_TAIL, body.length);
            case GET_CAPABILITY -> capability(ByteBuffer.wrap(parameters), body);
            default -> HexFormat.of().formatHex(body);
        };
    }

    private static String capability(ByteBuffer parameters, byte[] body) {
        int area = parameters.getInt();
        int sub = parameters.remaining() >= 8 ? parameters.getInt(8) : 0;
        return switch (area) {
            case CAP_KEY_HANDLE, Structures.CAP_HANDLE -> hex(body, 4, 6) + " handles";
            case CAP_MANUFACTURER_PROPERTY -> "maker's data";
            case CAP_VERSION_VAL -> hex(body, 4, VERSION_VAL_FIXED - 2) + " and maker's data";
            case Structures.CAP_PROPERTY ->
                MAKERS_PROPERTIES.containsKey(sub)
                        ? MAKERS_PROPERTIES.get(sub) + ", " + length(body)
                        : HexFormat.of().formatHex(body);
            default -> HexFormat.of().formatHex(body);
        };
    }

    private static String length(byte[] body) {
        return body.length + " bytes";
    }

    private static String hex(byte[] body, int from, int to) {
        int start = Math.min(from, body.length);
        return HexFormat.of().formatHex(Arrays.copyOfRange(body, start, Math.max(start, Math.min(to, body.length))));
    }
}
