package org.vtpm.codec;

import org.jspecify.annotations.Nullable;

/** How one value is laid out. {@code null} stands for an absent structure only. */
interface Part {
    @Nullable
    Object read(ByteReader in) throws CodecException;

    void write(ByteWriter out, @Nullable Object value);
}
