package org.vtpm.tpm12.structure;

import org.vtpm.codec.Tag;

/** TPM_NV_DATA_PUBLIC (TPM Main Part 2, section 19.3): the public part of an NV area. */
@Tag(0x0018)
public record NvDataPublic(
        int nvIndex,
        PcrInfoShort pcrInfoRead,
        PcrInfoShort pcrInfoWrite,
        NvAttributes permission,
        boolean readStClear,
        boolean writeStClear,
        boolean writeDefine,
        int dataSize) {

    /** This area with its write lock set for good. */
    public NvDataPublic withWriteDefine() {
        return new NvDataPublic(
                nvIndex, pcrInfoRead, pcrInfoWrite, permission, readStClear, writeStClear, true, dataSize);
    }

    /** This area as it is when it is new, whatever locks its definition asked for. */
    public NvDataPublic unlocked() {
        return new NvDataPublic(nvIndex, pcrInfoRead, pcrInfoWrite, permission, false, false, false, dataSize);
    }
}
