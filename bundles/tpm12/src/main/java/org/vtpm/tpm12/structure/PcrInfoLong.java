package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;

/** TPM_PCR_INFO_LONG (TPM Main Part 2, section 8.4): creation before release. */
@Tag(0x0006)
public record PcrInfoLong(
        @U8 int localityAtCreation,
        @U8 int localityAtRelease,
        PcrSelection creationPcrSelection,
        PcrSelection releasePcrSelection,
        @Fixed(20) byte[] digestAtCreation,
        @Fixed(20) byte[] digestAtRelease) {

    public PcrInfoLong {
        PcrInfoShort.checkLocalities(localityAtCreation);
        PcrInfoShort.checkLocalities(localityAtRelease);
    }
}
