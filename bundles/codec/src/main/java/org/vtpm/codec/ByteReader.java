package org.vtpm.codec;

import java.util.Arrays;
import org.vtpm.codec.CodecException.Kind;

/** Reads big-endian values from a part of an array. Every read is checked against the end before anything is allocated. */
public final class ByteReader {
    private final byte[] bytes;
    private final int end;
    private int position;

    /** Reads all of {@code bytes}, which is not copied. */
    public ByteReader(byte[] bytes) {
        this(bytes, 0, bytes.length);
    }

    /** Reads {@code bytes} from {@code from} inclusive to {@code to} exclusive; the array is not copied. */
    public ByteReader(byte[] bytes, int from, int to) {
        if (from < 0 || from > to || to > bytes.length) {
            throw new IllegalArgumentException("range " + from + ".." + to + " of " + bytes.length + " bytes");
        }
        this.bytes = bytes;
        this.position = from;
        this.end = to;
    }

    /** The index in the array of the next byte. */
    public int position() {
        return position;
    }

    /** The number of bytes left. */
    public int remaining() {
        return end - position;
    }

    /** Reads one byte, 0 to 255. */
    public int u8() throws CodecException {
        return (int) unsigned(1);
    }

    /** Reads two bytes, 0 to 65535. */
    public int u16() throws CodecException {
        return (int) unsigned(2);
    }

    /** Reads four bytes as they are: values from 2^31 come out negative. */
    public int i32() throws CodecException {
        return (int) unsigned(4);
    }

    /** Reads {@code width} bytes (1 to 8) as an unsigned number; with 8 bytes, as they are. */
    public long unsigned(int width) throws CodecException {
        need(width);
        long value = 0;
        for (int i = 0; i < width; i++) {
            value = (value << 8) | (bytes[position++] & 0xFF);
        }
        return value;
    }

    /** Reads one byte that must be 0 or 1. */
    public boolean bool() throws CodecException {
        int value = u8();
        if (value > 1) {
            throw new CodecException(Kind.BAD_BOOL, "boolean " + value);
        }
        return value == 1;
    }

    /** Reads a copy of the next {@code length} bytes. */
    public byte[] bytes(int length) throws CodecException {
        need(length);
        position += length;
        return Arrays.copyOfRange(bytes, position - length, position);
    }

    /** A reader of the next {@code length} bytes, which this one skips. */
    public ByteReader slice(int length) throws CodecException {
        need(length);
        position += length;
        return new ByteReader(bytes, position - length, position);
    }

    /** Checks that nothing is left. */
    public void expectEnd() throws CodecException {
        if (position != end) {
            throw new CodecException(Kind.TRAILING, remaining() + " bytes too many");
        }
    }

    /**
     * Reads a length or count of {@code width} bytes that must not be above {@code max}. Where there is no such bound, a
     * number that no array can have says that the input ends too early.
     */
    int length(int width, int max) throws CodecException {
        long value = unsigned(width);
        if (value > max) {
            Kind kind = max == Integer.MAX_VALUE ? Kind.TRUNCATED : Kind.TOO_LONG;
            throw new CodecException(kind, "length " + value + " above " + max);
        }
        return (int) value;
    }

    private void need(int count) throws CodecException {
        if (count < 0 || count > remaining()) {
            throw new CodecException(Kind.TRUNCATED, remaining() + " bytes left of " + count);
        }
    }
}
