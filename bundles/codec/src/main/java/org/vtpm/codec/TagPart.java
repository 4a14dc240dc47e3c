package org.vtpm.codec;

import org.jspecify.annotations.Nullable;

/** The constant that a record starts with. */
record TagPart(long value, int bytes, long mask, CodecException.Kind mismatch) {
    static @Nullable TagPart of(Class<?> type) {
        Tag tag = type.getAnnotation(Tag.class);
        if (tag == null) {
            return null;
        }
        if (tag.bytes() < 1 || tag.bytes() > 4 || tag.value() >>> (8 * tag.bytes()) != 0) {
            throw new IllegalArgumentException(type.getName() + ": tag does not fit " + tag.bytes() + " bytes");
        }
        return new TagPart(tag.value(), tag.bytes(), tag.mask(), tag.mismatch());
    }

    boolean matches(long found) {
        return ((found ^ value) & mask) == 0;
    }

    void expect(ByteReader in) throws CodecException {
        long found = in.unsigned(bytes);
        if (!matches(found)) {
            throw wrong(found);
        }
    }

    CodecException wrong(long found) {
        return new CodecException(mismatch, "constant 0x" + Long.toHexString(found));
    }

    void write(ByteWriter out) {
        out.number(value, bytes);
    }
}
