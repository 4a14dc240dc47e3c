package org.vtpm.tpm12.structure;

/**
 * TPM_KEY_FLAGS (TPM Main Part 2, section 5.10). A key with flags that are not defined is refused: they must be zero.
 *
 * @param bits of {@link KeyFlag}
 */
public record KeyFlags(int bits) {
    private static final int DEFINED = 0x0000_001F;

    public KeyFlags {
        TpmException.require((bits & ~DEFINED) == 0, ReturnCode.BAD_KEY_PROPERTY);
    }

    public boolean has(KeyFlag flag) {
        return (bits & flag.mask()) != 0;
    }
}
