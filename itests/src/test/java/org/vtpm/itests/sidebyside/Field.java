package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.ArrayList;
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
record Field(String name, Value valid, List<byte[]> others) {
    /** So many bytes too many, and nothing that depends on a nonce is taken for something else. */
    private static final int AUTH_BLOCK = 45;

    /** A value; what it encrypts or names depends on the TPM and on the session that authorizes the request. */
    @FunctionalInterface
    interface Value {
        byte[] of(Probe probe, Session session) throws IOException;
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
            others.add(Wire.sized(new byte[length]));
        }
        for (int wrong :
                new int[] {value.length - 1, value.length + AUTH_BLOCK, 0x1000, 0x7FFFFFFF, -value.length, -1}) {
            others.add(concat(u32(wrong), value));
        }
        return fixed(name, Wire.sized(value), others);
    }

    /** A secret that the session encrypts. */
    static Field encrypted(String name, byte[] secret) {
        return new Field(
                name,
                (probe, session) -> session.encryptsSecrets() ? session.encryptXor(secret) : secret,
                List.of(new byte[20]));
    }

    static Field live(String name, Value valid, List<byte[]> others) {
        return new Field(name, valid, others);
    }

    private static Field fixed(String name, byte[] value, List<byte[]> others) {
        return new Field(name, (probe, session) -> value, others);
    }
}
