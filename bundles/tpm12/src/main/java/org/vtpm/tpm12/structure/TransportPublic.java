package org.vtpm.tpm12.structure;

import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;

/**
 * TPM_TRANSPORT_PUBLIC (TPM Main Part 2, section 13.1): what a transport session is for.
 *
 * @param transAttributes TPM_TRANSPORT_ATTRIBUTES: {@link #ENCRYPT}, {@link #LOG}, {@link #EXCLUSIVE}; other bits mean
 *     nothing
 * @param algId TPM_ALGORITHM_ID to encrypt with; means nothing without {@link #ENCRYPT}
 * @param encScheme TPM_ENC_SCHEME of a block cipher
 */
@Tag(0x001E)
public record TransportPublic(
        int transAttributes, int algId, @U16 int encScheme) {
    public static final int ENCRYPT = 1;
    public static final int LOG = 2;
    public static final int EXCLUSIVE = 4;

    /** Whether one of the attributes is set. */
    public boolean has(int attribute) {
        return (transAttributes & attribute) != 0;
    }
}
