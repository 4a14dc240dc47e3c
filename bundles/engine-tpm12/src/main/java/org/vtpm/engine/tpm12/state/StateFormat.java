package org.vtpm.engine.tpm12.state;

import java.util.List;
import java.util.function.Function;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.tpm12.structure.TpmException;

/**
 * The parts of the state as bytes: a magic number, the kind of the part, the version of its layout, then the record.
 * Whoever stores them protects them: they hold secrets and carry no checksum. Once a version has been released its layout
 * is kept in a class of its own, from which it is upgraded.
 */
public final class StateFormat {
    private static final int MAGIC = 0x76543132; // "vT12"
    private static final int PERMANENT = 1;
    private static final int SAVED = 2;
    private static final int VOLATILE = 3;
    private static final int VERSION = 3;

    private StateFormat() {}

    public static byte[] encodePermanent(PermanentState state) {
        return encode(PERMANENT, Codec.of(PermanentState.class), state);
    }

    /**
     * Decodes the permanent part.
     *
     * @throws EngineStateException if these bytes are not what {@link #encodePermanent} gives, or gave in an older version
     */
    public static PermanentState decodePermanent(byte[] bytes) throws EngineStateException {
        return decode(
                "permanent",
                PERMANENT,
                bytes,
                List.of(
                        reader(Version1.Permanent.class, Version1.Permanent::upgraded),
                        reader(Version2.Permanent.class, Version2.Permanent::upgraded),
                        reader(PermanentState.class, Function.identity())));
    }

    public static byte[] encodeSaved(StClearState state) {
        return encode(SAVED, Codec.of(StClearState.class), state);
    }

    /**
     * Decodes the saved part.
     *
     * @throws EngineStateException if these bytes are not what {@link #encodeSaved} gives, or gave in an older version
     */
    public static StClearState decodeSaved(byte[] bytes) throws EngineStateException {
        return decode(
                "saved",
                SAVED,
                bytes,
                List.of(
                        reader(Version1.Saved.class, Version1.Saved::upgraded),
                        reader(Version2.Saved.class, Version2.Saved::upgraded),
                        reader(StClearState.class, Function.identity())));
    }

    public static byte[] encodeVolatile(Snapshot snapshot) {
        return encode(VOLATILE, Codec.of(Snapshot.class), snapshot);
    }

    /**
     * Decodes the volatile part, which is read only by the version that wrote it: versions 1 and 2 wrote none.
     *
     * @throws EngineStateException if these bytes are not what {@link #encodeVolatile} gives
     */
    public static Snapshot decodeVolatile(byte[] bytes) throws EngineStateException {
        return decode("volatile", VOLATILE, bytes, List.of(reader(Snapshot.class, Function.identity())));
    }

    /** Reads one version of a layout. */
    @FunctionalInterface
    private interface Reader<T> {
        T read(ByteReader in) throws CodecException;
    }

    private static <V, T> Reader<T> reader(Class<V> layout, Function<V, T> upgrade) {
        return in -> upgrade.apply(Codec.of(layout).read(in));
    }

    private static <T> byte[] encode(int kind, Codec<T> codec, T state) {
        ByteWriter out = new ByteWriter(2048).i32(MAGIC).u8(kind).u16(VERSION);
        codec.write(out, state);
        return out.finish();
    }

    /** Decodes a part, with the readers of its last versions, up to {@link #VERSION}. */
    private static <T> T decode(String name, int kind, byte[] bytes, List<Reader<T>> versions)
            throws EngineStateException {
        try {
            ByteReader in = new ByteReader(bytes);
            if (in.i32() != MAGIC || in.u8() != kind) {
                throw new EngineStateException("this is not the " + name + " state of a TPM 1.2 of this product");
            }
            int version = in.u16();
            int oldest = VERSION - versions.size() + 1;
            if (version < oldest || version > VERSION) {
                throw new EngineStateException(
                        "the " + name + " state of this TPM 1.2 has version " + version + ", but only "
                                + (oldest == VERSION ? "version " : "versions " + oldest + " to ") + VERSION
                                + " can be read: use the product version that wrote it");
            }
            T state = versions.get(version - oldest).read(in);
            in.expectEnd();
            return state;
        } catch (CodecException | IllegalArgumentException | TpmException e) {
            throw new EngineStateException("the " + name + " state of this TPM 1.2 is damaged: " + e.getMessage(), e);
        }
    }
}
