package org.vtpm.tpm12.structure;

/** TPM_ALGORITHM_ID, and the schemes that go with them (TPM Main Part 2, sections 4.8, 5.8.1 and 5.8.2). */
public final class Algorithm {
    /** No algorithm at all: what a structure says that nobody filled in. */
    public static final int NONE = 0x00;

    public static final int RSA = 0x01;
    public static final int SHA = 0x04;
    public static final int HMAC = 0x05;
    public static final int AES128 = 0x06;
    public static final int MGF1 = 0x07;
    public static final int XOR = 0x0A;

    /** TPM_ENC_SCHEME. */
    public static final int ES_NONE = 1;

    public static final int ES_RSAESPKCSV15 = 2;
    public static final int ES_RSAESOAEP_SHA1_MGF1 = 3;
    public static final int ES_SYM_CTR = 4;
    public static final int ES_SYM_OFB = 5;

    /** TPM_SIG_SCHEME. */
    public static final int SS_NONE = 1;

    public static final int SS_RSASSAPKCS1V15_SHA1 = 2;
    public static final int SS_RSASSAPKCS1V15_DER = 3;
    public static final int SS_RSASSAPKCS1V15_INFO = 4;

    private Algorithm() {}
}
