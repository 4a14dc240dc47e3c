package org.vtpm.storage.key;

import java.io.IOException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;

/** Codecs at the edge to the disk, where everything that is wrong with a file is an IOException. */
public final class Layouts {
    private Layouts() {}

    /**
     * Reads a layout that takes all of {@code bytes}.
     *
     * @throws IOException if they are anything else; the message says what is wrong with "it"
     */
    public static <T> T decode(Class<T> layout, byte[] bytes) throws IOException {
        try {
            return Codec.of(layout).decode(bytes);
        } catch (CodecException e) {
            throw new IOException("it is cut short or damaged: " + e.getMessage(), e);
        }
    }

    /**
     * Writes a layout.
     *
     * @throws IOException if a value does not fit its field
     */
    public static <T> byte[] encode(Class<T> layout, T value) throws IOException {
        try {
            return Codec.of(layout).encode(value);
        } catch (IllegalArgumentException e) {
            throw new IOException("it cannot be stored: " + e.getMessage(), e);
        }
    }
}
