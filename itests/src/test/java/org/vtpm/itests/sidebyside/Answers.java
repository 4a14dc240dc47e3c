package org.vtpm.itests.sidebyside;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Wire;

/**
 * What of a successful answer the specification fixes. The rest is random, a key, a handle, or left to the maker
 * (TPM Main Part 3 says which); of that only the length is looked at, and of a maker's text not even that.
 */
final class Answers {
    private static final int PUBKEY_HEAD = 28;
    private static final int KEY_TAIL = 4;
    /** What of TPM_CERTIFY_INFO and TPM_CERTIFY_INFO2 of an RSA key stands before the key's digest. */
    private static final int CERTIFY_INFO_HEAD = 35;

    /** The length of a signature with a key of 1024 bits. */
    private static final int SIGNATURE = 128;

    /** TPM_PCR_INFO_SHORT with a selection of three bytes. */
    private static final int QUOTED_PCRS = 26;
    /** Tag and TPM_DELEGATE_PUBLIC behind the blob's length. */
    private static final int DELEGATE_PUBLIC = 4 + 2 + 51;

    private static final int FIRST_STAGE_WITH_BLOB = 22;
    /** No length of what DAA gives out is a multiple of this. */
    private static final int ABOUT = 16;

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
            case OIAP,
                    OSAP,
                    DSAP,
                    LOAD_KEY,
                    LOAD_KEY2,
                    LOAD_CONTEXT,
                    LOAD_KEY_CONTEXT,
                    LOAD_AUTH_CONTEXT,
                    CHANGE_AUTH,
                    CHANGE_AUTH_ASYM_START,
                    CHANGE_AUTH_ASYM_FINISH,
                    CREATE_MIGRATION_BLOB,
                    CONVERT_MIGRATION_BLOB,
                    MIGRATE_KEY,
                    CMK_APPROVE_MA,
                    CMK_CREATE_TICKET,
                    CMK_CREATE_BLOB,
                    CMK_CONVERT_MIGRATION,
                    GET_TICKS,
                    TICK_STAMP_BLOB -> length(body);
            case SAVE_KEY_CONTEXT, SAVE_AUTH_CONTEXT -> "a blob";
            case DAA_JOIN -> parameters[0] >= FIRST_STAGE_WITH_BLOB ? "a blob" : number(body);
            case DAA_SIGN -> number(body);
            // The context is the maker's; before it stand type, handle and label, behind it the count.
            case SAVE_CONTEXT -> hex(body, 4, 10) + " " + hex(body, 14, 30);
            case SEAL, SEALX -> hex(body, 0, Structures.endOfSealInfo(body)) + " " + length(body);
            case QUOTE2 -> hex(body, 0, QUOTED_PCRS) + " " + length(body);
            case AUTHORIZE_MIGRATION_KEY -> hex(body, 0, body.length - 20) + " " + length(body);
            // How long the rest is depends on how the maker encrypts the secret.
            case DELEGATE_CREATE_KEY_DELEGATION, DELEGATE_CREATE_OWNER_DELEGATION, DELEGATE_UPDATE_VERIFICATION ->
                hex(body, 4, DELEGATE_PUBLIC);
            // The time is the maker's.
            case ESTABLISH_TRANSPORT -> hex(body, 4, 8) + " " + length(body);
            case EXECUTE_TRANSPORT -> hex(body, 8, body.length);
            case RELEASE_TRANSPORT_SIGNED -> hex(body, 0, 4) + " " + length(body);
            case CERTIFY_KEY, CERTIFY_KEY2 -> certificate(body);
            // The digest is over nonces of the TPM's too.
            case GET_AUDIT_DIGEST, GET_AUDIT_DIGEST_SIGNED -> hex(body, 0, 6);
            case GET_RANDOM -> hex(body, 0, 4) + " " + length(body);
            case GET_TEST_RESULT -> "maker's text";
            case GET_CAPABILITY_OWNER -> hex(body, 0, 2) + " and the maker's version, " + hex(body, 4, body.length);
            case GET_PUB_KEY,
                    CREATE_REVOCABLE_EK,
                    CREATE_ENDORSEMENT_KEY_PAIR,
                    READ_PUBEK,
                    OWNER_READ_PUBEK,
                    OWNER_READ_INTERNAL_PUB -> hex(body, 0, PUBKEY_HEAD) + " " + length(body);
            case TAKE_OWNERSHIP -> keyHead(body) + " " + hex(body, body.length - KEY_TAIL, body.length);
            case CREATE_WRAP_KEY, CMK_CREATE_KEY, MAKE_IDENTITY -> keyHead(body);
            case GET_CAPABILITY -> capability(ByteBuffer.wrap(parameters), body);
            default -> HexFormat.of().formatHex(body);
        };
    }

    /** All but the digest of the certified key, which may be the TPM's own, and the signature, which is verified. */
    private static String certificate(byte[] body) {
        byte[] certified = Arrays.copyOf(body, Math.max(0, body.length - Integer.BYTES - SIGNATURE));
        byte[] signature = Arrays.copyOfRange(body, certified.length + Integer.BYTES, body.length);
        boolean genuine = Stream.of(StockKey.SIGN, StockKey.SIGN_OPEN)
                .anyMatch(key -> Arrays.equals(key.pair().sign(Wire.sha1(certified)), signature));
        return genuine
                ? hex(certified, 0, CERTIFY_INFO_HEAD)
                        + " "
                        + hex(certified, CERTIFY_INFO_HEAD + 20, certified.length)
                        + " signed"
                : hex(body, 0, CERTIFY_INFO_HEAD) + " " + length(body);
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

    /** All of a TPM_KEY or TPM_KEY12 before its modulus. */
    private static String keyHead(byte[] body) {
        return hex(body, 0, Structures.endOfPcrInfo(body) + Integer.BYTES) + " " + length(body);
    }

    /** A random number without leading zeros: mostly as long as it can be, and hardly ever shorter by more than a byte. */
    private static String number(byte[] body) {
        return "about " + body.length / ABOUT * ABOUT + " bytes";
    }

    private static String length(byte[] body) {
        return body.length + " bytes";
    }

    private static String hex(byte[] body, int from, int to) {
        int start = Math.min(from, body.length);
        return HexFormat.of().formatHex(Arrays.copyOfRange(body, start, Math.max(start, Math.min(to, body.length))));
    }
}
