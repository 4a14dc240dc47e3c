package org.vtpm.engine.tpm12.state;

import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.engine.tpm12.structure.TpmException;

/**
 * The parts of the state as bytes: a magic number, the kind of the part, the version of its layout, then the record.
 * Whoever stores them protects them: they hold secrets and carry no checksum.
 */
public final class StateFormat {
    private static final int MAGIC = 0x76543132; // "vT12"
    private static final int PERMANENT = 1;
    private static final int SAVED = 2;
    private static final int VERSION = 1;

    private StateFormat() {}

    public static byte[] encodePermanent(PermanentState state) {
        return encode(PERMANENT, Codec.of(PermanentState.class), state);
    }

    /**
     * Decodes the permanent part.
     *
     * @throws EngineStateException if these bytes are not what {@link #encodePermanent} gives
     */
    public static PermanentState decodePermanent(byte[] bytes) throws EngineStateException {
        return decode("permanent", PERMANENT, Codec.of(PermanentState.class), bytes);
    }

    public static byte[] encodeSaved(StClearState state) {
        return encode(SAVED, Codec.of(StClearState.class), state);
    }

    /**
     * Decodes the saved part.
     *
     * @throws EngineStateException if these bytes are not what {@link #encodeSaved} gives
     */
    public static StClearState decodeSaved(byte[] bytes) throws EngineStateException {
        return decode("saved", SAVED, Codec.of(StClearState.class), bytes);
    }

    private static <T> byte[] encode(int kind, Codec<T> codec, T state) {
        ByteWriter out = new ByteWriter(2048).i32(MAGIC).u8(kind).u16(VERSION);
        codec.write(out, state);
        return out.finish();
    }

    private static <T> T decode(String name, int kind, Codec<T> codec, byte[] bytes) throws EngineStateException {
        try {
            ByteReader in = new ByteReader(bytes);
            if (in.i32() != MAGIC || in.u8() != kind) {
                throw new EngineStateException("this is not the " + name + " state of a TPM 1.2 of this product");
            }
            int version = in.u16();
            if (version != VERSION) {
                throw new EngineStateException("the " + name + " state of this TPM 1.2 has version " + version
                        + ", but only version " + VERSION + " can be read: use the product version that wrote it");
            }
            T state = codec.read(in);
            in.expectEnd();
            return state;
        } catch (CodecException | IllegalArgumentException | TpmException e) {
            throw new EngineStateException("the " + name + " state of this TPM 1.2 is damaged: " + e.getMessage(), e);
        }
    }
}
