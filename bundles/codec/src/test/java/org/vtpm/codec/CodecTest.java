package org.vtpm.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.vtpm.codec.CodecException.Kind;

class CodecTest {
    record Numbers(@U8 int a, @U16 int b, int c, @U32 long d, long e, boolean f) {}

    record Strings(
            @Fixed(3) byte[] a,
            @Sized(prefix = 2, max = 4) byte[] b,
            @Sized byte[] c,
            @Rest byte[] d) {}

    @Tag(0x0018)
    record Tagged(@U8 int a) {}

    record Optionals(
            @Sized @Nullable Tagged a, @Present @Nullable Tagged b) {}

    record Lists(
            @Counted(prefix = 1, max = 3) List<Tagged> a,
            @Counted(prefix = 2) int[] b,
            @Rest List<Tagged> c) {}

    sealed interface Either permits Old, New {}

    @Tag(value = 0x01010000, bytes = 4, mask = 0xFFFF0000L)
    record Old(@U8 int a) implements Either {}

    @Tag(value = 0x00280000, bytes = 4, mismatch = Kind.BAD_VERSION)
    record New(@U16 int a) implements Either {}

    enum Colour {
        RED,
        GREEN
    }

    record Chosen(
            Colour a, @Present @Sized(prefix = 1, max = 2) byte @Nullable [] b) {}

    record Empty() {}

    record Picky(@U8 int a) {
        Picky {
            if (a == 0) {
                throw new IllegalStateException("zero");
            }
        }
    }

    @Test
    void numbersAreBigEndianAndUnsignedWhereDeclared() throws CodecException {
        Numbers value = new Numbers(0xFE, 0xFFFD, -2, 0xFFFFFFFEL, -3L, true);
        assertThat(hex(value, Numbers.class)).isEqualTo("fefffdfffffffefffffffefffffffffffffffd01");
        assertThat(decode(Numbers.class, "fefffdfffffffefffffffefffffffffffffffd01"))
                .isEqualTo(value);
    }

    @Test
    void numbersThatDoNotFitAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> hex(new Numbers(256, 0, 0, 0, 0, false), Numbers.class));
        assertThatIllegalArgumentException().isThrownBy(() -> hex(new Numbers(0, -1, 0, 0, 0, false), Numbers.class));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> hex(new Numbers(0, 0, 0, 1L << 32, 0, false), Numbers.class));
    }

    @Test
    void byteStringsFixedSizedAndRest() throws CodecException {
        Strings value = decode(Strings.class, "0102030002aabb00000001ccddee");
        assertThat(value.a()).containsExactly(1, 2, 3);
        assertThat(value.b()).containsExactly(0xAA, 0xBB);
        assertThat(value.c()).containsExactly(0xCC);
        assertThat(value.d()).containsExactly(0xDD, 0xEE);
        assertThat(hex(value, Strings.class)).isEqualTo("0102030002aabb00000001ccddee");
    }

    @Test
    void lengthsAreCheckedBeforeAnythingIsRead() {
        assertKind(Kind.TOO_LONG, () -> decode(Strings.class, "0102030005"));
        assertKind(Kind.TRUNCATED, () -> decode(Strings.class, "01020300007fffffff00"));
        assertKind(Kind.TRUNCATED, () -> decode(Strings.class, "0102030000ffffffff00"));
        assertKind(Kind.TRUNCATED, () -> decode(Lists.class, "00ffff00000001"));
        assertKind(Kind.TOO_LONG, () -> decode(Lists.class, "04"));
    }

    @Test
    void anAbsentStructureIsNull() throws CodecException {
        Optionals none = new Optionals(null, null);
        Optionals both = new Optionals(new Tagged(7), new Tagged(8));
        assertThat(hex(none, Optionals.class)).isEqualTo("0000000000");
        assertThat(hex(both, Optionals.class)).isEqualTo("0000000300180701001808");
        assertThat(decode(Optionals.class, "0000000000")).isEqualTo(none);
        assertThat(decode(Optionals.class, "0000000300180701001808")).isEqualTo(both);
    }

    @Test
    void aConstantIsItsPlace() throws CodecException {
        assertThat(hex(new Chosen(Colour.GREEN, null), Chosen.class)).isEqualTo("0100");
        assertThat(decode(Chosen.class, "0000").a()).isEqualTo(Colour.RED);
        assertKind(Kind.BAD_TAG, () -> decode(Chosen.class, "0200"));
        assertKind(Kind.BAD_TAG, () -> decode(Chosen.class, "ff00"));
    }

    @Test
    void absentBytesAreNullAndEmptyOnesAreNot() throws CodecException {
        assertThat(decode(Chosen.class, "0000").b()).isNull();
        assertThat(decode(Chosen.class, "000100").b()).isEmpty();
        assertThat(decode(Chosen.class, "0001020708").b()).containsExactly(7, 8);
        assertThat(hex(new Chosen(Colour.RED, new byte[] {7}), Chosen.class)).isEqualTo("00010107");
        assertKind(Kind.TOO_LONG, () -> decode(Chosen.class, "000103010203"));
        assertKind(Kind.BAD_BOOL, () -> decode(Chosen.class, "0002"));
    }

    @Test
    void aSizedStructureFillsItsSize() {
        assertKind(Kind.TRAILING, () -> decode(Optionals.class, "0000000400180700" + "00"));
        assertKind(Kind.TRUNCATED, () -> decode(Optionals.class, "00000002001800"));
    }

    @Test
    void listsByCountAndToTheEnd() throws CodecException {
        Lists value = decode(Lists.class, "02" + "001801" + "001802" + "0001" + "00000009" + "001803");
        assertThat(value.a()).containsExactly(new Tagged(1), new Tagged(2));
        assertThat(value.b()).containsExactly(9);
        assertThat(value.c()).containsExactly(new Tagged(3));
        assertThat(hex(value, Lists.class)).isEqualTo("020018010018020001" + "00000009001803");
    }

    @Test
    void aSealedInterfaceIsDecidedByTheTag() throws CodecException {
        assertThat(decode(Either.class, "0101beef05")).isEqualTo(new Old(5));
        assertThat(decode(Either.class, "002800000506")).isEqualTo(new New(0x0506));
        assertThat(hex(new Old(5), Either.class)).isEqualTo("0101000005");
        assertThat(hex(new New(0x0506), Either.class)).isEqualTo("002800000506");
        assertKind(Kind.BAD_VERSION, () -> decode(Either.class, "0102000005"));
    }

    @Test
    void malformedInputIsNamed() {
        assertKind(Kind.BAD_TAG, () -> decode(Tagged.class, "001901"));
        assertKind(Kind.TRUNCATED, () -> decode(Tagged.class, "0018"));
        assertKind(Kind.TRAILING, () -> decode(Tagged.class, "00180102"));
        assertKind(Kind.BAD_BOOL, () -> decode(Numbers.class, "fefffdfffffffefffffffefffffffffffffffd02"));
    }

    @Test
    void anEmptyRecordHasNoBytes() throws CodecException {
        assertThat(decode(Empty.class, "")).isEqualTo(new Empty());
        assertThat(hex(new Empty(), Empty.class)).isEmpty();
    }

    @Test
    void exceptionsOfTheRecordPassThrough() {
        assertThatThrownBy(() -> decode(Picky.class, "00"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("zero");
    }

    record Unsized(byte[] a) {}

    record RestFirst(@Rest byte[] a, @U8 int b) {}

    record Untyped(String a) {}

    @Test
    void layoutsThatAreNotClearAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Codec.of(Unsized.class));
        assertThatIllegalArgumentException().isThrownBy(() -> Codec.of(RestFirst.class));
        assertThatIllegalArgumentException().isThrownBy(() -> Codec.of(Untyped.class));
    }

    @Test
    void theCodecOfAClassIsDerivedOnce() {
        assertThat(Codec.of(Numbers.class)).isSameAs(Codec.of(Numbers.class));
    }

    static <T> String hex(T value, Class<? super T> type) {
        return HexFormat.of().formatHex(Codec.of(type).encode(value));
    }

    static <T> T decode(Class<T> type, String hex) throws CodecException {
        return Codec.of(type).decode(HexFormat.of().parseHex(hex));
    }

    private static void assertKind(Kind kind, ThrowingCallable decoding) {
        assertThatExceptionOfType(CodecException.class)
                .isThrownBy(decoding)
                .extracting(CodecException::kind)
                .isEqualTo(kind);
    }
}
