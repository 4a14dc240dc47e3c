package org.vtpm.itests.sidebyside;

import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where our TPM answers otherwise than the reference, each with the reason; any other difference is a fault.
 * docs/tpm12.md lists the same. Parts and sections are those of the TPM Main Specification 1.2, revision 116.
 */
enum Deviation {
    TAG_OF_AN_ERROR(
            ".*: INIT: .*",
            "INIT -> tag 0xc4, code 0x1e",
            "INIT -> tag 0xc[56], code 0x1e",
            "Part 3, section 1: an error is reported with the tag TPM_TAG_RSP_COMMAND, whatever tag the request has"),
    COUNT_BEYOND_THE_REQUEST(
            ".*",
            ".* -> tag 0xc4, code 0x19",
            ".* -> tag 0xc4, code 0x17",
            "Part 2, section 16: TPM_BAD_PARAM_SIZE is about the request's size; TPM_SIZE is about the TPM's space"),
    PROCESS_THAT_DIES(
            ".*(SAVE_AUTH_CONTEXT|LOAD_AUTH_CONTEXT|DELEGATE_UPDATE_VERIFICATION).*",
            ".* -> tag 0xc4, code 0x.*",
            "connection lost",
            "a guest must not be able to stop its TPM"),
    SESSION_SAVED_WITHOUT_OWNER(
            ".*(SAVE_AUTH_CONTEXT|LOAD_AUTH_CONTEXT).*",
            "SAVE_AUTH_CONTEXT -> tag 0xc4, code 0x12",
            "SAVE_AUTH_CONTEXT -> tag 0xc4, code 0x0: a blob",
            "Part 3, section 21.2: what protects a saved context comes with the owner"),
    COMMAND_THAT_IS_MISSING_THERE(
            ".*",
            "(CERTIFY_SELF_TEST|GET_CAPABILITY_SIGNED|GET_ORDINAL_AUDIT_STATUS|\\w+_MAINTENANCE_\\w+|\\w+_MANU_MAINT_PUB) -> .*",
            "(CERTIFY_SELF_TEST|GET_CAPABILITY_SIGNED|GET_ORDINAL_AUDIT_STATUS|\\w+_MAINTENANCE_\\w+|\\w+_MANU_MAINT_PUB) -> tag 0xc[456], code 0xa",
            "Part 3, sections 4.3, 12 and 28.2: optional, or deprecated and still described"),
    KEY_WITHOUT_ITS_TAG(
            ".*",
            "(TAKE_OWNERSHIP|CREATE_WRAP_KEY|LOAD_KEY2?|MAKE_IDENTITY|CMK_\\w+) -> tag 0xc4, code 0x2e",
            "(TAKE_OWNERSHIP|CREATE_WRAP_KEY|LOAD_KEY2?|MAKE_IDENTITY|CMK_\\w+) -> tag 0xc4, code 0x28",
            "Part 2, sections 10.2 and 10.3: what a key starts with is a version, or stands in for one"),
    STARTUP_THAT_FAILS(
            "NOT_STARTED: STARTUP: .*",
            "GET_CAPABILITY -> tag 0xc4, code 0x26",
            "GET_CAPABILITY -> tag 0xc4, code 0x0: .*",
            "Part 3, section 3.2: a Startup of no known type or form fails, and starts nothing"),
    NUMBER_OF_PRIMES(
            ".*: TAKE_OWNERSHIP .*numPrimes .*",
            "TAKE_OWNERSHIP -> tag 0xc4, code 0x28",
            "TAKE_OWNERSHIP -> tag 0xc5, code 0x0: .*",
            "Part 2, section 10.1.1: a key of two primes is not what was asked for"),
    WRONG_AUTHORIZATION_TO_READ(
            "OWNED: NV_READ_VALUE by OWNER_OIAP: .*wrong.*",
            "NV_READ_VALUE -> tag 0xc4, code 0x1",
            "NV_READ_VALUE -> tag 0xc5, code 0x0.*",
            "Part 3, section 20.4: without nvLocked no authorization is needed; one that is given is verified, as in 20.2"),
    OWNER_READS_THE_DIR(
            ".*: NV_READ_VALUE by OWNER_OIAP: .*nvIndex 10000001.*",
            "NV_READ_VALUE -> tag 0xc4, code 0x3b",
            "NV_READ_VALUE -> tag 0xc[45], code 0x(0: .*|11)",
            "Part 3, section 20.4: authorization to read what is not the owner's is a conflict"),
    SESSION_OF_A_REFUSED_COMMAND(
            "(DISABLED|DEACTIVATED): NV_(READ|WRITE)_VALUE by OWNER_OIAP: .*",
            "FLUSH_SPECIFIC -> tag 0xc4, code 0x22",
            "FLUSH_SPECIFIC -> tag 0xc4, code 0x0: ",
            "Part 1, section 13: a command that fails ends the sessions that were to authorize it"),
    BOOLEAN_OF_A_SETTING(
            ".*: SET_CAPABILITY .*of everything.*: setting .*0000000102.*",
            "SET_CAPABILITY -> tag 0xc4, code 0x3",
            "SET_CAPABILITY -> tag 0xc[45], code 0x.*",
            "Part 2, section 4.2: a boolean is 0 or 1"),
    REVOCATION_WITHOUT_A_KEY(
            "FACTORY_NEW: REVOKE_TRUST: .*",
            "REVOKE_TRUST -> tag 0xc4, code 0x1",
            "REVOKE_TRUST -> tag 0xc4, code 0x2d",
            "Part 3, section 14.3: without an endorsement key there is no secret to revoke it, also not of zeros"),
    DAA_PROOF_OF_ANYBODY(
            ".*: SET_CAPABILITY of everything.*: .*",
            "SET_CAPABILITY -> tag 0xc4, code 0x1",
            "SET_CAPABILITY -> tag 0xc4, code 0x0: ",
            "Part 2, section 21.2.2: renewing the DAA secrets makes credentials worthless, so that the owner must want it"),
    MAINTENANCE_FOR_THE_NEXT_OWNER(
            ".*",
            "GET_CAPABILITY -> tag 0xc4, code 0x0: 00000016001f010101010001.*",
            "GET_CAPABILITY -> tag 0xc4, code 0x0: 00000016001f010101010000.*",
            "Part 3, section 6.2: clearing the owner sets allowMaintenance; a TPM without the maintenance commands does not"),
    BYTES_BEHIND_A_STRUCTURE(
            ".*(PCRInfo|pcrInfo) 000000(2d0{32}|370006).*|.*(one byte long|parmSize 0000000d|entityType 0008|entityValue 0000000\\d000000|sigTicket 0{5}100|inputData 0{8,}).*",
            "(CREATE_WRAP_KEY|MAKE_IDENTITY|CMK_\\w+|DSAP|DELEGATE_\\w+|SEALX?|UNSEAL) -> tag 0xc4, code 0x(19|2|25)",
            "(CREATE_WRAP_KEY|MAKE_IDENTITY|CMK_\\w+|DSAP|DELEGATE_\\w+|SEALX?|UNSEAL) -> .*",
            "Part 2, section 16: a structure that is shorter than its size says has not the size that it should have"),
    SIZE_OF_A_BLOB_IGNORED(
            ".*",
            "(LOAD_\\w*CONTEXT|DELEGATE_LOAD_OWNER_DELEGATION) -> tag 0xc4, code 0x19",
            "(LOAD_\\w*CONTEXT|DELEGATE_LOAD_OWNER_DELEGATION) -> .*",
            "Part 2, section 16: a blob has the size that stands before it"),
    BOOLEAN_OF_OWNER_CONTROL(
            ".*: KEY_CONTROL_OWNER .*bitValue.*",
            "KEY_CONTROL_OWNER -> tag 0xc4, code 0x3",
            "KEY_CONTROL_OWNER -> .*",
            "Part 2, section 4.2: a boolean is 0 or 1"),
    SECRET_TOO_LONG_FOR_ITS_KEY(
            ".*: SEALX? .*",
            "SEALX? -> tag 0xc4, code 0x2b",
            "SEALX? -> tag 0xc4, code 0x20",
            "Part 3, section 10.1: the size of the sealed data is validated before it is encrypted"),
    QUOTE_BY_INFORMATION_KEY(
            ".*: QUOTE2 .*",
            "QUOTE2 -> tag 0xc4, code 0x27",
            "QUOTE2 -> tag 0xc5, code 0x0: .*",
            "Part 3, section 16.5: the scheme has to be TPM_SS_RSASSAPKCS1v15_SHA1"),
    AUDIT_OF_WHAT_IS_NEVER_AUDITED(
            ".*: SET_ORDINAL_AUDIT_STATUS .*",
            "SET_ORDINAL_AUDIT_STATUS -> tag 0xc4, code 0x2",
            "SET_ORDINAL_AUDIT_STATUS -> tag 0xc[45], code 0x[03].*",
            "Part 3, section 8.5: TPM_BADINDEX for what is no ordinal whose audit can be set"),
    MODULUS_THAT_IS_NONE(
            ".*changed at -1.*",
            "(AUTHORIZE_MIGRATION_KEY|CMK_CREATE_TICKET|MIGRATE_KEY|KEY_CONTROL_OWNER) -> tag 0xc4, code 0x28",
            "(AUTHORIZE_MIGRATION_KEY|CMK_CREATE_TICKET|MIGRATE_KEY|KEY_CONTROL_OWNER) -> .*",
            "Part 2, section 10.1.1: an even number is no product of two large primes"),
    CHANGED_CONTEXT(
            ".*: LOAD_\\w*CONTEXT.*",
            "LOAD_\\w*CONTEXT -> tag 0xc4, code 0x5a",
            "LOAD_\\w*CONTEXT -> tag 0xc4, code 0x.*",
            "Part 3, section 21.3: nothing of a blob counts before its integrity is checked"),
    WRAPPED_HANDLE_TAKEN_FOR_A_PARAMETER(
            ".*: CHANGE_AUTH_ASYM_FINISH .*, wrapped: .*",
            "EXECUTE_TRANSPORT -> tag 0xc5, code 0x0: .*",
            "EXECUTE_TRANSPORT -> tag 0xc4, code 0x1d",
            "Part 3, section 28.4: ephHandle is a handle, which no digest covers, wrapped or not"),
    WRAPPED_COMMAND_THAT_IS_NONE(
            ".*(: EXECUTE_TRANSPORT |, wrapped: ).*",
            "EXECUTE_TRANSPORT -> tag 0xc4, code 0x3",
            "EXECUTE_TRANSPORT -> tag 0xc[45], code 0x(0|19|a).*",
            "Part 3, section 24.2, action 3: TPM_BAD_PARAMETER for what is no command"),
    KEY_TAKEN_FOR_DATA(
            ".*: CHANGE_AUTH .*entityType 0003.*",
            "CHANGE_AUTH -> tag 0xc4, code 0x43",
            "CHANGE_AUTH -> tag 0xc4, code 0x1",
            "Part 3, section 17.1, action 10: TPM_INVALID_STRUCTURE for another payload"),
    SECRET_OF_DATA_CHANGED_ASYMMETRICALLY(
            ".*: CHANGE_AUTH_ASYM_FINISH .*entityType 0003.*",
            "CHANGE_AUTH_ASYM_FINISH -> tag 0xc4, code 0x43",
            "CHANGE_AUTH_ASYM_FINISH -> tag 0xc4, code 0x25",
            "Part 3, section 28.4, action 2: encData is that of TPM_STORED_DATA or TPM_KEY"),
    CERTIFIED_THOUGH_BOUND(
            ".*: CERTIFY_KEY2? .*of (BOUND|LOCAL_READABLE).*",
            "CERTIFY_KEY2? -> .*",
            "CERTIFY_KEY2? -> tag 0xc4, code 0x18",
            "Part 3, sections 13.8 and 13.9: PCRs count if pcrIgnoredOnRead is FALSE"),
    KEY_OF_ANOTHER_LOCALITY(
            ".* LOCAL_.*, at locality [24]",
            "\\w+ -> tag 0xc4, code 0x3d",
            "\\w+ -> tag 0xc4, code 0x18",
            "Part 1, section 25.1: a locality that localityAtRelease does not name is TPM_BAD_LOCALITY, as for NV and seals");

    private final Pattern request;
    private final Pattern ours;
    private final Pattern reference;
    private final String reason;

    /**
     * @param request matches situation and request
     * @param ours matches our first answer that differs
     * @param reference matches the reference's answer to the same request
     * @param reason why ours is right, or as good
     */
    Deviation(String request, String ours, String reference, String reason) {
        this.request = Pattern.compile(request);
        this.ours = Pattern.compile(ours);
        this.reference = Pattern.compile(reference);
        this.reason = reason;
    }

    /** The deviation that a difference is, if it is a known one. */
    static Optional<Deviation> of(Difference difference) {
        return Stream.of(values()).filter(one -> one.shows(difference)).findFirst();
    }

    private boolean shows(Difference difference) {
        return request.matcher(difference.situation() + ": " + difference.name())
                        .matches()
                && ours.matcher(difference.oursAtFirst()).matches()
                && reference.matcher(difference.referenceAtFirst()).matches();
    }

    @Override
    public String toString() {
        return name() + ": " + reason;
    }
}
