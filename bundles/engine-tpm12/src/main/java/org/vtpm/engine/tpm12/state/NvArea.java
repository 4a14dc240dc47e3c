package org.vtpm.engine.tpm12.state;

import java.util.stream.Stream;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.engine.tpm12.structure.NvDataPublic;

/**
 * An NV area (TPM Main Part 2, section 19.4).
 *
 * @param pub its bReadSTClear and bWriteSTClear are FALSE here: the live ones are {@link NvLocks}
 * @param data as many bytes as {@code pub.dataSize()}
 */
public record NvArea(
        NvDataPublic pub,
        @Fixed(20) byte[] authValue,
        @Sized byte[] data) {

    public NvArea {
        if (pub.dataSize() != data.length) {
            throw new IllegalArgumentException("NV area of " + data.length + " bytes says " + pub.dataSize());
        }
    }

    Stream<byte[]> secrets() {
        return Stream.of(authValue, data);
    }

    /** Names the index only. */
    @Override
    public String toString() {
        return "NvArea[0x" + Integer.toHexString(pub.nvIndex()) + "]";
    }
}
