package org.vtpm.storage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.vtpm.api.engine.StateKind;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.key.Layouts;

/** What is durable of a TPM's state, as one piece: for snapshots by name and for bundles. */
final class StateParts {
    private StateParts() {}

    private record PartList(@Rest List<Part> parts) {}

    private record Part(@U8 int kind, @Sized byte[] content) {}

    /** Puts the permanent and the saved part together; the caller zeroes both. */
    static byte[] encode(Map<StateKind, byte[]> state) throws IOException {
        List<Part> parts = new ArrayList<>();
        state.forEach((kind, content) -> {
            if (kind != StateKind.VOLATILE) {
                parts.add(new Part(ItemKind.of(kind).code(), content));
            }
        });
        return Layouts.encode(PartList.class, new PartList(parts));
    }

    /**
     * Takes apart what {@link #encode} made.
     *
     * @return the parts there are; the caller zeroes them
     */
    static Map<StateKind, byte[]> decode(byte[] encoded) throws IOException {
        List<Part> parts = Layouts.decode(PartList.class, encoded).parts;
        Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
        try {
            for (Part part : parts) {
                if (state.put(kind(part.kind), part.content) != null) {
                    throw new IOException("it has a part of its state twice");
                }
            }
            if (!state.containsKey(StateKind.PERMANENT)) {
                throw new IOException("the permanent state is missing in it");
            }
            return state;
        } catch (IOException e) {
            parts.forEach(part -> Secrets.zero(part.content));
            throw e;
        }
    }

    private static StateKind kind(int code) throws IOException {
        if (code == ItemKind.PERMANENT.code()) {
            return StateKind.PERMANENT;
        }
        if (code == ItemKind.SAVED.code()) {
            return StateKind.SAVED;
        }
        throw new IOException("it has a part of its state of an unknown kind " + code);
    }
}
