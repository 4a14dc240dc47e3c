package org.vtpm.tpm12.structure;

import java.util.List;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;

/** TPM_MSA_COMPOSITE (TPM Main Part 2, section 5.15): the migration authorities of a key, at least one. */
public record MsaComposite(@Counted List<Authority> migAuthDigest) {
    /** The SHA-1 of an authority's TPM_PUBKEY. */
    public record Authority(@Fixed(20) byte[] digest) {}

    public MsaComposite {
        TpmException.require(!migAuthDigest.isEmpty(), ReturnCode.INVALID_STRUCTURE);
    }
}
