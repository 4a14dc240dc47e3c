package org.vtpm.engine.tpm12.state;

import java.util.function.Consumer;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;

/**
 * An NV area (TPM Main Part 2, section 19.4).
 *
 * @param pub its bReadSTClear and bWriteSTClear are FALSE here: the live ones are {@link NvLocks}
 * @param data as many bytes as {@code pub.dataSize()}; none for a {@linkplain NvIndex#gpio pin}
 */
public record NvArea(
        NvDataPublic pub,
        @Fixed(20) byte[] authValue,
        @Sized byte[] data) {

    public NvArea {
        if (data.length != pub.dataSize() && !(data.length == 0 && NvIndex.gpio(pub.nvIndex()))) {
            throw new IllegalArgumentException("NV area of " + data.length + " bytes says " + pub.dataSize());
        }
    }

    /** The data integrity register, which every TPM has: anyone may read it, the owner writes it as a whole. */
    public static NvArea dir(byte[] contents) {
        PcrInfoShort anywhere =
                new PcrInfoShort(new PcrSelection(new byte[0]), PcrInfoShort.ALL_LOCALITIES, new byte[20]);
        NvAttributes permission = NvAttributes.of(Permission.OWNERWRITE, Permission.WRITEALL);
        return new NvArea(
                new NvDataPublic(NvIndex.DIR, anywhere, anywhere, permission, false, false, false, contents.length),
                new byte[20],
                contents);
    }

    void secrets(Consumer<byte[]> visitor) {
        visitor.accept(authValue);
        visitor.accept(data);
    }

    /** Names the index only. */
    @Override
    public String toString() {
        return "NvArea[0x" + Integer.toHexString(pub.nvIndex()) + "]";
    }
}
