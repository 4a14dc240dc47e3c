package org.vtpm.api.engine;

/** The TPM specification family that an instance implements. */
public enum TpmFamily {
    /** TCG TPM Main Specification version 1.2, revision 116. */
    TPM_1_2("1.2"),
    /** TCG TPM Library Specification family 2.0. */
    TPM_2_0("2.0");

    private final String label;

    TpmFamily(String label) {
        this.label = label;
    }

    /** The family as operators write it: {@code 1.2} or {@code 2.0}. */
    public String label() {
        return label;
    }
}
