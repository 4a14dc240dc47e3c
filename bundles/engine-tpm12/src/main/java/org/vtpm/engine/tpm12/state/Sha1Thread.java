package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Sized;

/**
 * An unfinished SHA-1 of TPM_SHA1Start.
 *
 * @param suspended what {@link org.vtpm.crypto.Sha1#resume} goes on with
 * @param transport handle of the transport session that it was begun in, and must be finished in; 0 if in none
 */
public record Sha1Thread(@Sized byte[] suspended, int transport) {
    /** Names no content. */
    @Override
    public String toString() {
        return "Sha1Thread[transport=0x" + Integer.toHexString(transport) + "]";
    }
}
