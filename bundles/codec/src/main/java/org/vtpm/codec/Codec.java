package org.vtpm.codec;

import org.vtpm.codec.CodecException.Kind;

/**
 * Encoder and decoder of one record class, or of a sealed interface whose records are told apart by their {@link Tag}.
 * Derived once per class; thread-safe.
 *
 * <p>The components of the record are the fields of the structure, in order, big-endian. Without annotation a {@code
 * boolean} is one strict byte, {@code int} four bytes, {@code long} eight, an enumeration's constant one (its place), and a record or sealed interface is nested.
 * {@link U8}, {@link U16}, {@link U32}, {@link Fixed}, {@link Sized}, {@link Counted}, {@link Rest} and {@link Present}
 * say otherwise. Exceptions of a record's own constructor pass through {@link #decode}.
 */
public final class Codec<T> {
    private static final ClassValue<Codec<?>> CODECS = new ClassValue<>() {
        @Override
        protected Codec<?> computeValue(Class<?> type) {
            return new Codec<>(type, Parts.structure(type));
        }
    };

    private final Class<T> type;
    private final Part part;

    private Codec(Class<T> type, Part part) {
        this.type = type;
        this.part = part;
    }

    /**
     * The codec of a record class or sealed interface.
     *
     * @throws IllegalArgumentException if its components cannot be laid out
     */
    @SuppressWarnings("unchecked") // computeValue makes the codec of exactly this class
    public static <T> Codec<T> of(Class<T> type) {
        return (Codec<T>) CODECS.get(type);
    }

    /**
     * Decodes one structure that takes all of {@code input}.
     *
     * @throws CodecException if it is anything else
     */
    public T decode(byte[] input) throws CodecException {
        ByteReader in = new ByteReader(input);
        T value = read(in);
        in.expectEnd();
        return value;
    }

    /**
     * Reads one structure and leaves what follows it.
     *
     * @throws CodecException if there is none
     */
    public T read(ByteReader in) throws CodecException {
        Object value = part.read(in);
        if (value == null) {
            throw new CodecException(Kind.TRUNCATED, "no " + type.getSimpleName());
        }
        return type.cast(value);
    }

    /**
     * Encodes {@code value}.
     *
     * @throws IllegalArgumentException if a component does not fit its field
     */
    public byte[] encode(T value) {
        ByteWriter out = new ByteWriter();
        write(out, value);
        return out.finish();
    }

    /**
     * Appends the encoding of {@code value}.
     *
     * @throws IllegalArgumentException if a component does not fit its field
     */
    public void write(ByteWriter out, T value) {
        part.write(out, value);
    }
}
