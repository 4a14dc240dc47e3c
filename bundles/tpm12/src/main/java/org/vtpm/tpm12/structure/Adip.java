package org.vtpm.tpm12.structure;

/** TPM_ENTITY_TYPE, high byte: how a session encrypts authorisation data (TPM Main Part 2, section 4.3). */
public final class Adip {
    public static final int XOR = 0x00;
    public static final int AES128_CTR = 0x06;

    private Adip() {}
}
