package org.vtpm.itests.tpm12;

/** The commands that the tests send (TPM Main Part 2, section 17, and the TSC ordinals of the PC client). */
public enum Ordinal {
    OIAP(0x0A),
    OSAP(0x0B),
    TAKE_OWNERSHIP(0x0D),
    CHANGE_AUTH_OWNER(0x10),
    EXTEND(0x14),
    PCR_READ(0x15),
    DIR_WRITE_AUTH(0x19),
    DIR_READ(0x1A),
    SET_CAPABILITY(0x3F),
    RESET_LOCK_VALUE(0x40),
    GET_RANDOM(0x46),
    STIR_RANDOM(0x47),
    SELF_TEST_FULL(0x50),
    CONTINUE_SELF_TEST(0x53),
    GET_TEST_RESULT(0x54),
    OWNER_CLEAR(0x5B),
    DISABLE_OWNER_CLEAR(0x5C),
    FORCE_CLEAR(0x5D),
    DISABLE_FORCE_CLEAR(0x5E),
    GET_CAPABILITY(0x65),
    GET_CAPABILITY_OWNER(0x66),
    OWNER_SET_DISABLE(0x6E),
    PHYSICAL_ENABLE(0x6F),
    PHYSICAL_DISABLE(0x70),
    SET_OWNER_INSTALL(0x71),
    PHYSICAL_SET_DEACTIVATED(0x72),
    SET_TEMP_DEACTIVATED(0x73),
    SET_OPERATOR_AUTH(0x74),
    CREATE_ENDORSEMENT_KEY_PAIR(0x78),
    READ_PUBEK(0x7C),
    OWNER_READ_PUBEK(0x7D),
    DISABLE_PUBEK_READ(0x7E),
    CREATE_REVOCABLE_EK(0x7F),
    REVOKE_TRUST(0x80),
    OWNER_READ_INTERNAL_PUB(0x81),
    TERMINATE_HANDLE(0x96),
    INIT(0x97),
    SAVE_STATE(0x98),
    STARTUP(0x99),
    SHA1_START(0xA0),
    SHA1_UPDATE(0xA1),
    SHA1_COMPLETE(0xA2),
    SHA1_COMPLETE_EXTEND(0xA3),
    FLUSH_SPECIFIC(0xBA),
    PCR_RESET(0xC8),
    NV_DEFINE_SPACE(0xCC),
    NV_WRITE_VALUE(0xCD),
    NV_WRITE_VALUE_AUTH(0xCE),
    NV_READ_VALUE(0xCF),
    NV_READ_VALUE_AUTH(0xD0),
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
}
