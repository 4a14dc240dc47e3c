package org.vtpm.codec;

import java.util.Arrays;

/**
 * Writes big-endian values to an array that grows. What it outgrows is zeroed, and {@link #finish} zeroes what is left,
 * since structures hold secrets.
 */
public final class ByteWriter {
    private byte[] bytes;
    private int size;

    public ByteWriter() {
        this(128);
    }

    /** Starts with room for {@code capacity} bytes. */
    public ByteWriter(int capacity) {
        bytes = new byte[capacity];
    }

    /** The number of bytes written so far. */
    public int size() {
        return size;
    }

    /** Writes the low {@code width} bytes (1 to 8) of {@code value}. */
    public ByteWriter number(long value, int width) {
        reserve(width);
        for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
            bytes[size++] = (byte) (value >>> shift);
        }
        return this;
    }

    /** Writes one byte. */
    public ByteWriter u8(int value) {
        return number(value, 1);
    }

    /** Writes two bytes. */
    public ByteWriter u16(int value) {
        return number(value, 2);
    }

    /** Writes four bytes. */
    public ByteWriter i32(int value) {
        return number(value, 4);
    }

    /** Writes 1 or 0. */
    public ByteWriter bool(boolean value) {
        return number(value ? 1 : 0, 1);
    }

    /** Writes {@code value} as it is. */
    public ByteWriter bytes(byte[] value) {
        reserve(value.length);
        System.arraycopy(value, 0, bytes, size, value.length);
        size += value.length;
        return this;
    }

    /** Replaces {@code width} bytes at {@code position}, which were written before. */
    public void patch(int position, long value, int width) {
        if (position + width > size) {
            throw new IllegalArgumentException("patch behind the end");
        }
        for (int i = 0; i < width; i++) {
            bytes[position + i] = (byte) (value >>> (8 * (width - 1 - i)));
        }
    }

    /** A copy of what was written so far. */
    public byte[] toByteArray() {
        return Arrays.copyOf(bytes, size);
    }

    /** What was written. The writer is empty afterwards, its buffer zeroed. */
    public byte[] finish() {
        byte[] result = toByteArray();
        Arrays.fill(bytes, 0, size, (byte) 0);
        size = 0;
        return result;
    }

    private void reserve(int count) {
        if (bytes.length - size < count) {
            byte[] outgrown = bytes;
            bytes = Arrays.copyOf(bytes, Math.max(size + count, 2 * bytes.length));
            Arrays.fill(outgrown, (byte) 0);
        }
    }
}
