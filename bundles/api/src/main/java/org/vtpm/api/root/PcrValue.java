package org.vtpm.api.root;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * The value of a platform configuration register.
 *
 * @param index of the register, 0 to 23
 * @param value the digest in it: 32 bytes (SHA-256) of a TPM 2.0, 20 (SHA-1) of a TPM 1.2
 */
public record PcrValue(int index, byte[] value) {
    @Override
    public boolean equals(Object other) {
        return other instanceof PcrValue pcr && index == pcr.index && Arrays.equals(value, pcr.value);
    }

    @Override
    public int hashCode() {
        return 31 * index + Arrays.hashCode(value);
    }

    /** As operators write it: {@code 7=0f1e...}. */
    @Override
    public String toString() {
        return index + "=" + HexFormat.of().formatHex(value);
    }
}
