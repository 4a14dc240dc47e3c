package org.vtpm.engine.tpm12.foreign;

import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.tpm12.structure.TpmException;

/** Reads field after field of a foreign format, big-endian, and says of the one that is wrong which it is and where. */
final class Fields {
    private static final String PLACE = " at offset ";

    private final String what;
    private final ByteReader in;

    /** @param what the bytes are, for messages */
    Fields(String what, byte[] bytes, int from, int to) {
        this(what, new ByteReader(bytes, from, to));
    }

    private Fields(String what, ByteReader in) {
        this.what = what;
        this.in = in;
    }

    /** Reads one field in whatever way. */
    @FunctionalInterface
    private interface Read<T> {
        T from(ByteReader in) throws CodecException;
    }

    int u8(String field) throws EngineStateException {
        return read(field, ByteReader::u8);
    }

    int u16(String field) throws EngineStateException {
        return read(field, ByteReader::u16);
    }

    int i32(String field) throws EngineStateException {
        return read(field, ByteReader::i32);
    }

    boolean bool(String field) throws EngineStateException {
        return read(field, ByteReader::bool);
    }

    byte[] bytes(String field, int length) throws EngineStateException {
        return read(field, reader -> reader.bytes(length));
    }

    /** Reads a length of four bytes and that many bytes. */
    byte[] sized(String field) throws EngineStateException {
        return read(field, reader -> reader.bytes(reader.i32()));
    }

    <T> T structure(String field, Class<T> layout) throws EngineStateException {
        return read(field, reader -> Codec.of(layout).read(reader));
    }

    /** Reads a structure that fills a field of its own. */
    static <T> T whole(Fields around, String field, Class<T> layout, byte[] bytes) throws EngineStateException {
        return around.read(field, reader -> Codec.of(layout).decode(bytes));
    }

    /** Reads a constant of two bytes. */
    void constant(String field, int expected) throws EngineStateException {
        int at = in.position();
        int found = u16(field);
        if (found != expected) {
            throw wrong(field, at, "is 0x" + Integer.toHexString(found) + ", not 0x" + Integer.toHexString(expected));
        }
    }

    int position() {
        return in.position();
    }

    int remaining() {
        return in.remaining();
    }

    /** What a field that cannot be taken over is refused with. */
    EngineStateException wrong(String field, String problem) {
        return wrong(field, in.position(), problem);
    }

    private EngineStateException wrong(String field, int at, String problem) {
        return new EngineStateException(what + " is damaged: " + field + PLACE + at + " " + problem);
    }

    private <T> T read(String field, Read<T> read) throws EngineStateException {
        int at = in.position();
        try {
            return read.from(in);
        } catch (CodecException | IllegalArgumentException e) {
            throw wrong(field, at, "does not have its layout: " + e.getMessage());
        } catch (TpmException e) {
            throw wrong(field, at, "has a value that no TPM accepts: " + e.code());
        }
    }
}
