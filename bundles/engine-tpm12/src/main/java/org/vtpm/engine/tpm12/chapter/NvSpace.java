package org.vtpm.engine.tpm12.chapter;

import org.vtpm.codec.Codec;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.PcrInfoShort;

/** How much room there is for NV areas, counted as libtpms does, so that a guest finds what it knows. */
final class NvSpace {
    /** Room without any area. */
    private static final int CAPACITY = 28_666;

    private static final int TAG = 2;
    private static final int SECRET = 20;
    private static final int DIGEST = 20;

    private NvSpace() {}

    /** Bytes that are left. */
    static int free(PermanentState permanent) {
        return CAPACITY
                - permanent.nvAreas().stream()
                        .map(NvArea::pub)
                        .mapToInt(NvSpace::needed)
                        .sum();
    }

    /** Whether there is room for one more area; its size is an unsigned number that a guest chose. */
    static boolean fits(PermanentState permanent, NvDataPublic pub) {
        return Integer.compareUnsigned(pub.dataSize(), CAPACITY) <= 0 && needed(pub) <= free(permanent);
    }

    /** Bytes that an area takes: a digest counts only where PCRs are selected. */
    static int needed(NvDataPublic pub) {
        return TAG
                + Codec.of(NvDataPublic.class).encode(pub).length
                - unusedDigest(pub.pcrInfoRead())
                - unusedDigest(pub.pcrInfoWrite())
                + SECRET
                + (NvIndex.gpio(pub.nvIndex()) ? 0 : pub.dataSize());
    }

    private static int unusedDigest(PcrInfoShort info) {
        return info.pcrSelection().isEmpty() ? DIGEST : 0;
    }
}
