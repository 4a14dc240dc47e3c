package org.vtpm.root.tpm12;

/** The commands that are used (TPM Main Part 2, section 17), and what no digest covers of each. */
enum Command {
    OIAP(0x0A),
    OSAP(0x0B),
    TAKE_OWNERSHIP(0x0D, "TakeOwnership"),
    PCR_READ(0x15, "PCRRead"),
    SEAL(0x17, "Seal", Integer.BYTES, 0),
    UNSEAL(0x18, "Unseal", Integer.BYTES, 0),
    GET_PUB_KEY(0x21, "GetPubKey", Integer.BYTES, 0),
    CONTINUE_SELF_TEST(0x53, "ContinueSelfTest"),
    GET_CAPABILITY(0x65, "GetCapability"),
    READ_PUBEK(0x7C, "ReadPubek"),
    OWNER_READ_INTERNAL_PUB(0x81, "OwnerReadInternalPub"),
    FLUSH_SPECIFIC(0xBA, "FlushSpecific", Integer.BYTES, 0),
    CREATE_COUNTER(0xDC, "CreateCounter"),
    INCREMENT_COUNTER(0xDD, "IncrementCounter"),
    READ_COUNTER(0xDE, "ReadCounter"),
    RELEASE_COUNTER(0xDF, "ReleaseCounter"),
    ESTABLISH_TRANSPORT(0xE6, "EstablishTransport", Integer.BYTES, Integer.BYTES),
    EXECUTE_TRANSPORT(0xE7, "ExecuteTransport");

    private final int ordinal;
    private final String suffix;
    private final int inHandleBytes;
    private final int outHandleBytes;

    Command(int ordinal) {
        this.ordinal = ordinal;
        this.suffix = name();
        this.inHandleBytes = 0;
        this.outHandleBytes = 0;
    }

    Command(int ordinal, String suffix) {
        this(ordinal, suffix, 0, 0);
    }

    Command(int ordinal, String suffix, int inHandleBytes, int outHandleBytes) {
        this.ordinal = ordinal;
        this.suffix = suffix;
        this.inHandleBytes = inHandleBytes;
        this.outHandleBytes = outHandleBytes;
    }

    /** The number of TPM_COMMAND_CODE. */
    int code() {
        return ordinal;
    }

    /** Bytes of handles before the parameters of a request: no digest covers them, no transport session encrypts them. */
    int inHandleBytes() {
        return inHandleBytes;
    }

    /** The same of a response. */
    int outHandleBytes() {
        return outHandleBytes;
    }

    /** As the specification writes it. */
    @Override
    public String toString() {
        return "TPM_" + suffix;
    }
}
