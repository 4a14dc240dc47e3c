package org.vtpm.codec;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Numbers and booleans. */
final class NumberParts {
    private NumberParts() {}

    record Bool() implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            return in.bool();
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            out.bool((Boolean) Objects.requireNonNull(value));
        }
    }

    /** An {@code int} of 1, 2 or 4 bytes; unsigned below 4. */
    record IntNumber(int width) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            return (int) in.unsigned(width);
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            int number = (Integer) Objects.requireNonNull(value);
            if (width < 4 && number >>> (8 * width) != 0) {
                throw new IllegalArgumentException(number + " does not fit " + width + " bytes");
            }
            out.number(number, width);
        }
    }

    /** A constant of an enumeration, as one byte: its place among them. */
    record Constant(Object[] constants) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            int place = in.u8();
            if (place >= constants.length) {
                throw new CodecException(CodecException.Kind.BAD_TAG, "unknown constant " + place);
            }
            return constants[place];
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            out.u8(Arrays.asList(constants).indexOf(Objects.requireNonNull(value)));
        }
    }

    /** A {@code long} of 4 bytes, unsigned, or of 8. */
    record LongNumber(int width) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            return in.unsigned(width);
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            long number = (Long) Objects.requireNonNull(value);
            if (width < 8 && number >>> (8 * width) != 0) {
                throw new IllegalArgumentException(number + " does not fit " + width + " bytes");
            }
            out.number(number, width);
        }
    }
}
