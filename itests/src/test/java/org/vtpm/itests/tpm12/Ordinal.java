package org.vtpm.itests.tpm12;

import java.util.Arrays;
import java.util.Optional;

/** The commands of TPM 1.2 (TPM Main Part 2, section 17, and the TSC ordinals of the PC client). */
public enum Ordinal {
    OIAP(0x0A),
    OSAP(0x0B),
    CHANGE_AUTH(0x0C),
    TAKE_OWNERSHIP(0x0D),
    CHANGE_AUTH_ASYM_START(0x0E),
    CHANGE_AUTH_ASYM_FINISH(0x0F),
    CHANGE_AUTH_OWNER(0x10),
    DSAP(0x11),
    CMK_CREATE_TICKET(0x12),
    CMK_CREATE_KEY(0x13),
    EXTEND(0x14),
    PCR_READ(0x15),
    QUOTE(0x16),
    SEAL(0x17),
    UNSEAL(0x18),
    DIR_WRITE_AUTH(0x19),
    DIR_READ(0x1A),
    CMK_CREATE_BLOB(0x1B),
    CMK_SET_RESTRICTIONS(0x1C),
    CMK_APPROVE_MA(0x1D),
    UNBIND(0x1E),
    CREATE_WRAP_KEY(0x1F),
    LOAD_KEY(0x20),
    GET_PUB_KEY(0x21),
    EVICT_KEY(0x22),
    KEY_CONTROL_OWNER(0x23),
    CMK_CONVERT_MIGRATION(0x24),
    MIGRATE_KEY(0x25),
    CREATE_MIGRATION_BLOB(0x28),
    DAA_JOIN(0x29),
    CONVERT_MIGRATION_BLOB(0x2A),
    AUTHORIZE_MIGRATION_KEY(0x2B),
    CREATE_MAINTENANCE_ARCHIVE(0x2C),
    LOAD_MAINTENANCE_ARCHIVE(0x2D),
    KILL_MAINTENANCE_FEATURE(0x2E),
    LOAD_MANU_MAINT_PUB(0x2F),
    READ_MANU_MAINT_PUB(0x30),
    DAA_SIGN(0x31),
    CERTIFY_KEY(0x32),
    CERTIFY_KEY2(0x33),
    SIGN(0x3C),
    SEALX(0x3D),
    QUOTE2(0x3E),
    SET_CAPABILITY(0x3F),
    RESET_LOCK_VALUE(0x40),
    LOAD_KEY2(0x41),
    GET_RANDOM(0x46),
    STIR_RANDOM(0x47),
    SELF_TEST_FULL(0x50),
    CERTIFY_SELF_TEST(0x52),
    CONTINUE_SELF_TEST(0x53),
    GET_TEST_RESULT(0x54),
    RESET(0x5A),
    OWNER_CLEAR(0x5B),
    DISABLE_OWNER_CLEAR(0x5C),
    FORCE_CLEAR(0x5D),
    DISABLE_FORCE_CLEAR(0x5E),
    GET_CAPABILITY_SIGNED(0x64),
    GET_CAPABILITY(0x65),
    GET_CAPABILITY_OWNER(0x66),
    OWNER_SET_DISABLE(0x6E),
    PHYSICAL_ENABLE(0x6F),
    PHYSICAL_DISABLE(0x70),
    SET_OWNER_INSTALL(0x71),
    PHYSICAL_SET_DEACTIVATED(0x72),
    SET_TEMP_DEACTIVATED(0x73),
    SET_OPERATOR_AUTH(0x74),
    SET_OWNER_POINTER(0x75),
    CREATE_ENDORSEMENT_KEY_PAIR(0x78),
    MAKE_IDENTITY(0x79),
    ACTIVATE_IDENTITY(0x7A),
    READ_PUBEK(0x7C),
    OWNER_READ_PUBEK(0x7D),
    DISABLE_PUBEK_READ(0x7E),
    CREATE_REVOCABLE_EK(0x7F),
    REVOKE_TRUST(0x80),
    OWNER_READ_INTERNAL_PUB(0x81),
    GET_AUDIT_EVENT(0x82),
    GET_AUDIT_EVENT_SIGNED(0x83),
    GET_AUDIT_DIGEST(0x85),
    GET_AUDIT_DIGEST_SIGNED(0x86),
    GET_ORDINAL_AUDIT_STATUS(0x8C),
    SET_ORDINAL_AUDIT_STATUS(0x8D),
    TERMINATE_HANDLE(0x96),
    INIT(0x97),
    SAVE_STATE(0x98),
    STARTUP(0x99),
    SET_REDIRECTION(0x9A),
    SHA1_START(0xA0),
    SHA1_UPDATE(0xA1),
    SHA1_COMPLETE(0xA2),
    SHA1_COMPLETE_EXTEND(0xA3),
    FIELD_UPGRADE(0xAA),
    SAVE_KEY_CONTEXT(0xB4),
    LOAD_KEY_CONTEXT(0xB5),
    SAVE_AUTH_CONTEXT(0xB6),
    LOAD_AUTH_CONTEXT(0xB7),
    SAVE_CONTEXT(0xB8),
    LOAD_CONTEXT(0xB9),
    FLUSH_SPECIFIC(0xBA),
    PCR_RESET(0xC8),
    NV_DEFINE_SPACE(0xCC),
    NV_WRITE_VALUE(0xCD),
    NV_WRITE_VALUE_AUTH(0xCE),
    NV_READ_VALUE(0xCF),
    NV_READ_VALUE_AUTH(0xD0),
    DELEGATE_UPDATE_VERIFICATION(0xD1),
    DELEGATE_MANAGE(0xD2),
    DELEGATE_CREATE_KEY_DELEGATION(0xD4),
    DELEGATE_CREATE_OWNER_DELEGATION(0xD5),
    DELEGATE_VERIFY_DELEGATION(0xD6),
    DELEGATE_LOAD_OWNER_DELEGATION(0xD8),
    DELEGATE_READ_TABLE(0xDB),
    CREATE_COUNTER(0xDC),
    INCREMENT_COUNTER(0xDD),
    READ_COUNTER(0xDE),
    RELEASE_COUNTER(0xDF),
    RELEASE_COUNTER_OWNER(0xE0),
    ESTABLISH_TRANSPORT(0xE6),
    EXECUTE_TRANSPORT(0xE7),
    RELEASE_TRANSPORT_SIGNED(0xE8),
    GET_TICKS(0xF1),
    TICK_STAMP_BLOB(0xF2),
    TSC_PHYSICAL_PRESENCE(0x4000000A),
    TSC_RESET_ESTABLISHMENT_BIT(0x4000000B);

    private final int code;

    Ordinal(int code) {
        this.code = code;
    }

    /** The ordinal as it stands in a command's header. */
    public int code() {
        return code;
    }

    /** The command with this ordinal. */
    static Optional<Ordinal> of(int code) {
        return Arrays.stream(values()).filter(one -> one.code == code).findFirst();
    }

    /** Bytes at the front of a request that no digest covers and no transport session encrypts. */
    int inHandleBytes() {
        return switch (this) {
            case OSAP -> 26;
            case DSAP -> 30;
            case CHANGE_AUTH_ASYM_FINISH, CERTIFY_KEY, CERTIFY_KEY2 -> 2 * Integer.BYTES;
            case CHANGE_AUTH,
                    CHANGE_AUTH_ASYM_START,
                    CMK_CREATE_KEY,
                    QUOTE,
                    SEAL,
                    UNSEAL,
                    CMK_CREATE_BLOB,
                    UNBIND,
                    CREATE_WRAP_KEY,
                    LOAD_KEY,
                    GET_PUB_KEY,
                    EVICT_KEY,
                    KEY_CONTROL_OWNER,
                    CMK_CONVERT_MIGRATION,
                    MIGRATE_KEY,
                    CREATE_MIGRATION_BLOB,
                    DAA_JOIN,
                    CONVERT_MIGRATION_BLOB,
                    DAA_SIGN,
                    SIGN,
                    SEALX,
                    QUOTE2,
                    LOAD_KEY2,
                    CERTIFY_SELF_TEST,
                    GET_CAPABILITY_SIGNED,
                    ACTIVATE_IDENTITY,
                    GET_AUDIT_DIGEST_SIGNED,
                    TERMINATE_HANDLE,
                    SET_REDIRECTION,
                    SAVE_KEY_CONTEXT,
                    SAVE_AUTH_CONTEXT,
                    SAVE_CONTEXT,
                    LOAD_CONTEXT,
                    FLUSH_SPECIFIC,
                    DELEGATE_CREATE_KEY_DELEGATION,
                    ESTABLISH_TRANSPORT,
                    RELEASE_TRANSPORT_SIGNED,
                    TICK_STAMP_BLOB -> Integer.BYTES;
            default -> 0;
        };
    }

    /**
     * How many keys a request names at its front, for the log of a transport session.
     *
     * @param resourceType what follows the first handle
     */
    int keyHandles(int resourceType) {
        return switch (this) {
            case OWNER_READ_INTERNAL_PUB -> 1;
            case SAVE_CONTEXT, FLUSH_SPECIFIC -> resourceType == Structures.RT_KEY ? 1 : 0;
            case OSAP,
                    DSAP,
                    DAA_JOIN,
                    DAA_SIGN,
                    GET_CAPABILITY_SIGNED,
                    TERMINATE_HANDLE,
                    SAVE_AUTH_CONTEXT,
                    LOAD_CONTEXT -> 0;
            default -> inHandleBytes() / Integer.BYTES;
        };
    }

    /** Bytes at the front of a response that no digest covers and no transport session encrypts. */
    int outHandleBytes() {
        return switch (this) {
            case OIAP -> 24;
            case OSAP, DSAP -> 44;
            case LOAD_KEY2, LOAD_CONTEXT, LOAD_KEY_CONTEXT, LOAD_AUTH_CONTEXT, ESTABLISH_TRANSPORT -> Integer.BYTES;
            default -> 0;
        };
    }
}
