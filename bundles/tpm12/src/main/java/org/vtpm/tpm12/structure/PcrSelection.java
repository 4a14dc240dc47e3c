package org.vtpm.tpm12.structure;

import java.util.stream.IntStream;
import org.vtpm.codec.Sized;

/**
 * TPM_PCR_SELECTION (TPM Main Part 2, section 8.1): bit 0 of the first byte stands for PCR 0.
 *
 * @param select as many bytes as the sender chose, at most {@value #MAX_BYTES}
 */
public record PcrSelection(
        @Sized(prefix = 2, max = MAX_BYTES) byte[] select) {
    /** One bit for each of the 24 PCRs. */
    public static final int MAX_BYTES = 3;

    /** Whether no PCR is selected. */
    public boolean isEmpty() {
        return indices().findAny().isEmpty();
    }

    /** The selected PCRs, ascending. */
    public IntStream indices() {
        return IntStream.range(0, 8 * select.length).filter(pcr -> ((select[pcr / 8] >> (pcr % 8)) & 1) != 0);
    }
}
