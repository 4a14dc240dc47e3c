package org.vtpm.root.tpm20;

import java.util.Set;

/** The commands that are used (TPM 2.0 Library, Part 3), and what a caller has to know about each. */
enum CommandCode {
    NV_UNDEFINE_SPACE(0x122, "NV_UndefineSpace", Trait.AUTHORIZED),
    EVICT_CONTROL(0x120, "EvictControl", Trait.AUTHORIZED),
    NV_DEFINE_SPACE(0x12A, "NV_DefineSpace", Trait.AUTHORIZED, Trait.SECRET_REQUEST),
    CREATE_PRIMARY(0x131, "CreatePrimary", Trait.AUTHORIZED, Trait.RETURNS_HANDLE),
    NV_INCREMENT(0x134, "NV_Increment", Trait.AUTHORIZED),
    NV_READ(0x14E, "NV_Read", Trait.AUTHORIZED, Trait.SECRET_RESPONSE),
    CREATE(0x153, "Create", Trait.AUTHORIZED, Trait.SECRET_REQUEST),
    LOAD(0x157, "Load", Trait.AUTHORIZED, Trait.RETURNS_HANDLE),
    UNSEAL(0x15E, "Unseal", Trait.AUTHORIZED, Trait.SECRET_RESPONSE),
    FLUSH_CONTEXT(0x165, "FlushContext"),
    LOAD_EXTERNAL(0x167, "LoadExternal", Trait.RETURNS_HANDLE),
    NV_READ_PUBLIC(0x169, "NV_ReadPublic"),
    POLICY_AUTHORIZE(0x16A, "PolicyAuthorize"),
    // Not a secret, but in the right encryption it proves which one the TPM uses.
    READ_PUBLIC(0x173, "ReadPublic", Trait.SECRET_RESPONSE),
    START_AUTH_SESSION(0x176, "StartAuthSession", Trait.RETURNS_HANDLE),
    VERIFY_SIGNATURE(0x177, "VerifySignature"),
    GET_CAPABILITY(0x17A, "GetCapability"),
    GET_RANDOM(0x17B, "GetRandom"),
    PCR_READ(0x17E, "PCR_Read"),
    POLICY_PCR(0x17F, "PolicyPCR");

    private enum Trait {
        AUTHORIZED,
        RETURNS_HANDLE,
        SECRET_REQUEST,
        SECRET_RESPONSE
    }

    private final int code;
    private final String suffix;
    private final boolean authorized;
    private final boolean returnsHandle;
    private final boolean secretRequest;
    private final boolean secretResponse;

    CommandCode(int code, String suffix, Trait... traits) {
        this.code = code;
        this.suffix = suffix;
        Set<Trait> all = Set.of(traits);
        this.authorized = all.contains(Trait.AUTHORIZED);
        this.returnsHandle = all.contains(Trait.RETURNS_HANDLE);
        this.secretRequest = all.contains(Trait.SECRET_REQUEST);
        this.secretResponse = all.contains(Trait.SECRET_RESPONSE);
    }

    /** The number of TPM_CC. */
    int code() {
        return code;
    }

    /** Whether the first handle has to be authorized. */
    boolean authorized() {
        return authorized;
    }

    /** Whether the response has a handle before its parameters. */
    boolean returnsHandle() {
        return returnsHandle;
    }

    /** Whether the first parameter is a secret, and goes out encrypted. */
    boolean secretRequest() {
        return secretRequest;
    }

    /** Whether the first parameter of the response is a secret, and comes encrypted. */
    boolean secretResponse() {
        return secretResponse;
    }

    /** As the specification writes it. */
    @Override
    public String toString() {
        return "TPM2_" + suffix;
    }
}
