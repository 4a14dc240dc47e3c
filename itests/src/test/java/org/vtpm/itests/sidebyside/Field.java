package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Wire;

/**
 * One field of a request.
 *
 * @param name its name in the specification
 * @param valid makes the value that a well-formed request has
 * @param others values that no well-formed request has, or that lie on an edge
 */
record Field(String name, Value valid, List<Other> others) {
    /** So many bytes too many, and nothing that depends on a nonce is taken for something else. */
    private static final int AUTH_BLOCK = 45;

    private static final int SHOWN_BYTES = 20;

    static final String ONE_BYTE_SHORT = "one byte short";

    /** A value; what it encrypts or names depends on the TPM and on the session that authorizes the request. */
    @FunctionalInterface
    interface Value {
        byte[] of(Probe probe, Session session) throws IOException;
    }

    /**
     * Another value than the valid one.
     *
     * @param name the same for both TPMs
     */
    record Other(String name, Value value) {
        static Other of(byte[] bytes) {
            String hex = HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, SHOWN_BYTES));
            String name = bytes.length > SHOWN_BYTES ? hex + "... (" + bytes.length + " bytes)" : hex;
            return new Other(name, (probe, session) -> bytes);
        }
    }

    static Field bool(String name, boolean value) {
        return number8(name, value ? 1 : 0, value ? 0 : 1, 2, 0x80, 0xFF);
    }

    static Field number8(String name, int value, int... others) {
        return fixed(name, u8(value), IntStream.of(others).mapToObj(Wire::u8).toList());
    }

    static Field number16(String name, int value, int... others) {
        return fixed(name, u16(value), IntStream.of(others).mapToObj(Wire::u16).toList());
    }

    static Field number32(String name, int value, int... others) {
        return fixed(name, u32(value), IntStream.of(others).mapToObj(Wire::u32).toList());
    }

    /** Bytes of which any will do. */
    static Field opaque(String name, byte[] value) {
        return fixed(name, value, List.of());
    }

    /** A UINT32 count and its bytes. The other values are other lengths, and counts that do not tell the truth. */
    static Field counted(String name, byte[] value, int... lengths) {
        List<byte[]> others = new ArrayList<>();
        for (int length : lengths) {
            others.add(sized(new byte[length]));
        }
        for (int wrong :
                new int[] {value.length - 1, value.length + AUTH_BLOCK, 0x1000, 0x7FFFFFFF, -value.length, -1}) {
            others.add(concat(u32(wrong), value));
        }
        return fixed(name, sized(value), others);
    }

    /** A secret that the session encrypts. */
    static Field encrypted(String name, byte[] secret) {
        return live(name, (probe, session) -> session.encrypt(secret), List.of(new byte[20]));
    }

    /** A key handle, and some of the handles that mean something else. */
    static Field key(String name, StockKey key) {
        return live(
                name,
                (probe, session) -> u32(probe.loaded(key)),
                List.of(u32(0), u32(0x40000000), u32(0x40000001), u32(0x40000006), u32(0x00ABCDE0), u32(-1)));
    }

    /** What one of the TPMs made: the others are damaged at some places. */
    static Field blob(String name, Value valid) {
        return new Field(name, valid, damaged(valid));
    }

    /** The same behind its length. */
    static Field sizedBlob(String name, Value valid) {
        Value whole = (probe, session) -> sized(valid.of(probe, session));
        List<Other> others = new ArrayList<>(damaged(valid).stream()
                .map(other -> new Other(
                        other.name(), (probe, session) -> sized(other.value().of(probe, session))))
                .toList());
        others.add(Other.of(u32(0)));
        others.add(Other.of(sized(new byte[4])));
        others.add(Other.of(sized(new byte[256])));
        others.add(new Other("length field one less", (probe, session) -> {
            byte[] bytes = valid.of(probe, session);
            return concat(u32(bytes.length - 1), bytes);
        }));
        others.add(new Other("length field 4000", (probe, session) -> concat(u32(4000), valid.of(probe, session))));
        return new Field(name, whole, others);
    }

    /** Leaves one of the other values out, where the answer to it hangs on chance. */
    Field without(String other) {
        List<Other> rest =
                others.stream().filter(value -> !value.name().equals(other)).toList();
        if (rest.size() != others.size() - 1) {
            throw new IllegalArgumentException("Not one of the values of " + name + ": " + other);
        }
        return new Field(name, valid, rest);
    }

    private static List<Other> damaged(Value valid) {
        List<Other> others = new ArrayList<>();
        for (int at : new int[] {0, 1, 3, 5, 9, -1, -21, -60}) {
            others.add(new Other("changed at " + at, (probe, session) -> {
                byte[] bytes = valid.of(probe, session).clone();
                int index = at < 0 ? bytes.length + at : at;
                if (index >= 0 && index < bytes.length) {
                    bytes[index] ^= 1;
                }
                return bytes;
            }));
        }
        others.add(new Other(ONE_BYTE_SHORT, (probe, session) -> {
            byte[] bytes = valid.of(probe, session);
            return Arrays.copyOf(bytes, Math.max(0, bytes.length - 1));
        }));
        others.add(new Other("one byte long", (probe, session) -> concat(valid.of(probe, session), new byte[1])));
        return others;
    }

    static Field live(String name, Value valid, List<byte[]> others) {
        return new Field(name, valid, others.stream().map(Other::of).toList());
    }

    private static Field fixed(String name, byte[] value, List<byte[]> others) {
        return live(name, (probe, session) -> value, others);
    }
}
