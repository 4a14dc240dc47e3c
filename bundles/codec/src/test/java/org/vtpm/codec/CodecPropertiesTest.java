package org.vtpm.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.jspecify.annotations.Nullable;

class CodecPropertiesTest {
    sealed interface Shape permits Circle, Square {}

    @Tag(value = 1, bytes = 1)
    record Circle(@U16 int radius, boolean filled) implements Shape {}

    @Tag(value = 2, bytes = 1)
    record Square(@Sized(prefix = 1) byte[] side) implements Shape {}

    record Drawing(
            @U32 long id,
            long time,
            @Fixed(4) byte[] colour,
            @Counted(prefix = 2, max = 100) List<Shape> shapes,
            @Present @Nullable Circle border,
            @Sized(prefix = 2) @Nullable Square paper,
            @Counted(prefix = 1) int[] layers,
            @Rest byte[] note) {}

    private static final Codec<Drawing> CODEC = Codec.of(Drawing.class);

    @Property
    void everyValueComesBack(@ForAll("drawings") Drawing drawing) throws CodecException {
        byte[] encoded = CODEC.encode(drawing);
        Drawing decoded = CODEC.decode(encoded);
        assertThat(decoded).usingRecursiveComparison().isEqualTo(drawing);
        assertThat(CODEC.encode(decoded)).isEqualTo(encoded);
    }

    @Property
    void anyBytesEitherDecodeOrAreRefused(@ForAll @Size(max = 200) byte[] input) {
        try {
            Drawing decoded = CODEC.decode(input);
            assertThat(CODEC.encode(decoded)).isEqualTo(input);
        } catch (CodecException e) {
            assertThat(e.kind()).isNotNull();
        }
    }

    @Property
    void aShorterInputIsNeverReadBehindItsEnd(@ForAll("drawings") Drawing drawing, @ForAll int cut)
            throws CodecException {
        byte[] encoded = CODEC.encode(drawing);
        int end = Math.floorMod(cut, encoded.length + 1);
        ByteReader in = new ByteReader(encoded, 0, end);
        try {
            CODEC.read(in);
            assertThat(in.remaining()).isZero();
        } catch (CodecException e) {
            assertThat(in.position()).isLessThanOrEqualTo(end);
        }
    }

    @Provide
    Arbitrary<Drawing> drawings() {
        return Combinators.combine(
                        Arbitraries.longs().between(0, 0xFFFFFFFFL),
                        Arbitraries.longs(),
                        bytes(4, 4),
                        shapes().list().ofMaxSize(5),
                        circles().injectNull(0.3),
                        squares().injectNull(0.3),
                        Arbitraries.integers().array(int[].class).ofMaxSize(5),
                        bytes(0, 9))
                .as(Drawing::new);
    }

    private static Arbitrary<Shape> shapes() {
        return Arbitraries.of(true, false)
                .flatMap(round -> round ? circles().map(c -> c) : squares().map(q -> q));
    }

    private static Arbitrary<Circle> circles() {
        return Combinators.combine(Arbitraries.integers().between(0, 0xFFFF), Arbitraries.of(true, false))
                .as(Circle::new);
    }

    private static Arbitrary<Square> squares() {
        return bytes(0, 20).map(Square::new);
    }

    private static Arbitrary<byte[]> bytes(int min, int max) {
        return Arbitraries.bytes().array(byte[].class).ofMinSize(min).ofMaxSize(max);
    }
}
