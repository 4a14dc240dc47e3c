package org.vtpm.codec;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Byte strings, and structures behind a length or a presence byte. */
final class ByteParts {
    private ByteParts() {}

    record FixedBytes(int length) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            return in.bytes(length);
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            byte[] bytes = (byte[]) Objects.requireNonNull(value);
            if (bytes.length != length) {
                throw new IllegalArgumentException(bytes.length + " bytes instead of " + length);
            }
            out.bytes(bytes);
        }
    }

    record SizedBytes(int prefix, int max) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            return in.bytes(in.length(prefix, max));
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            byte[] bytes = (byte[]) Objects.requireNonNull(value);
            out.number(checked(bytes.length, prefix, max), prefix).bytes(bytes);
        }
    }

    record RestBytes() implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            return in.bytes(in.remaining());
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            out.bytes((byte[]) Objects.requireNonNull(value));
        }
    }

    /** A structure that fills the bytes its length announces; length zero stands for none. */
    record SizedStructure(int prefix, int max, Part part) implements Part {
        @Override
        public @Nullable Object read(ByteReader in) throws CodecException {
            int length = in.length(prefix, max);
            if (length == 0) {
                return null;
            }
            ByteReader inner = in.slice(length);
            Object value = part.read(inner);
            inner.expectEnd();
            return value;
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            int at = out.size();
            out.number(0, prefix);
            if (value != null) {
                part.write(out, value);
                out.patch(at, checked(out.size() - at - prefix, prefix, max), prefix);
            }
        }
    }

    record PresentStructure(Part part) implements Part {
        @Override
        public @Nullable Object read(ByteReader in) throws CodecException {
            return in.bool() ? part.read(in) : null;
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            out.bool(value != null);
            if (value != null) {
                part.write(out, value);
            }
        }
    }

    /** A length or count that fits its prefix and bound. */
    static int checked(int length, int prefix, int max) {
        if (length > max || (prefix < 4 && length >>> (8 * prefix) != 0)) {
            throw new IllegalArgumentException("length " + length + " is above the bound");
        }
        return length;
    }
}
