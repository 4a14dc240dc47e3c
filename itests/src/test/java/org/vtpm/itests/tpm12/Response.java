package org.vtpm.itests.tpm12;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * A TPM's answer to one command.
 *
 * @param request the command as it was sent
 * @param raw as it came
 * @param body without header and authorization blocks
 * @param authentic whether every authorization block that came with it is genuine; true if there is none
 */
public record Response(byte[] request, byte[] raw, byte[] body, boolean authentic) {
    public int tag() {
        return ByteBuffer.wrap(raw).getShort(0) & 0xFFFF;
    }

    public int size() {
        return ByteBuffer.wrap(raw).getInt(2);
    }

    /** The return code (TPM Main Part 2, section 16). */
    public int code() {
        return ByteBuffer.wrap(raw).getInt(6);
    }

    public boolean ok() {
        return code() == 0;
    }

    /** The UINT32 at an offset of the body. */
    public int u32(int offset) {
        return ByteBuffer.wrap(body).getInt(offset);
    }

    /** This response, if it is a genuine success. */
    public Response orFail() {
        if (!ok() || !authentic) {
            throw new AssertionError("expected success: " + this);
        }
        return this;
    }

    @Override
    public String toString() {
        HexFormat hex = HexFormat.of();
        return "code 0x%x%s, %s to %s"
                .formatted(code(), authentic ? "" : ", not authentic", hex.formatHex(raw), hex.formatHex(request));
    }
}
