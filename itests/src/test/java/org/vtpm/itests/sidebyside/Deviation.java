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
    KEY_WITHOUT_ITS_TAG(
            ".*: TAKE_OWNERSHIP .*",
            "TAKE_OWNERSHIP -> tag 0xc4, code 0x2e",
            "TAKE_OWNERSHIP -> tag 0xc4, code 0x28",
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
            ".*: SET_CAPABILITY of everything.*: setting .*0000000102",
            "SET_CAPABILITY -> tag 0xc4, code 0x3",
            "SET_CAPABILITY -> tag 0xc[45], code 0x.*",
            "Part 2, section 4.2: a boolean is 0 or 1"),
    REVOCATION_WITHOUT_A_KEY(
            "FACTORY_NEW: REVOKE_TRUST: .*",
            "REVOKE_TRUST -> tag 0xc4, code 0x1",
            "REVOKE_TRUST -> tag 0xc4, code 0x2d",
            "Part 3, section 14.3: without an endorsement key there is no secret to revoke it, also not of zeros"),
    DAA_PROOF_OF_ANYBODY(
            ".*: SET_CAPABILITY of everything: .*",
            "SET_CAPABILITY -> tag 0xc4, code 0x1",
            "SET_CAPABILITY -> tag 0xc4, code 0x0: ",
            "Part 2, section 21.2.2: renewing the DAA secrets makes credentials worthless, so that the owner must want it"),
    MAINTENANCE_FOR_THE_NEXT_OWNER(
            ".*",
            "GET_CAPABILITY -> tag 0xc4, code 0x0: 00000016001f010101010001.*",
            "GET_CAPABILITY -> tag 0xc4, code 0x0: 00000016001f010101010000.*",
            "Part 3, section 6.2: clearing the owner sets allowMaintenance; a TPM without the maintenance commands does not");

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
