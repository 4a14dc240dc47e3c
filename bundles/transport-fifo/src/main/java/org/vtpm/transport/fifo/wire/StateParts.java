package org.vtpm.transport.fifo.wire;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.vtpm.api.engine.StateKind;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;

/** State as SAVENVM and the answer to LOADNVM carry it: each kind at most once. */
record StateParts(@Counted(prefix = 1, max = 3) List<Part> parts) {
    private static final Codec<StateParts> CODEC = Codec.of(StateParts.class);

    /**
     * One part of the state.
     *
     * @param kind 1 permanent, 2 saved, 3 volatile
     * @param content in the engine's own format; empty to erase the part
     */
    record Part(
            @U8 int kind,
            @Sized(max = Frame.MAX_CONTROL_PACKET) byte[] content) {}

    /**
     * Encodes state; the caller zeroes the result.
     *
     * @throws IOException if it is more than a message can hold
     */
    static byte[] encode(Map<StateKind, byte[]> state) throws IOException {
        long room = Frame.MAX_CONTROL_PACKET - Frame.PACKET_HEADER - 1L;
        for (byte[] content : state.values()) {
            room -= 5L + content.length;
        }
        if (room < 0) {
            throw new IOException("the state is " + -room + " bytes larger than a message can hold");
        }
        List<Part> parts = new ArrayList<>();
        state.forEach((kind, content) -> parts.add(new Part(code(kind), content)));
        return CODEC.encode(new StateParts(parts));
    }

    /**
     * Decodes state; the caller zeroes the arrays.
     *
     * @throws FrameException if it is none
     */
    static Map<StateKind, byte[]> decode(byte[] bytes) throws FrameException {
        Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
        try {
            for (Part part : CODEC.decode(bytes).parts) {
                if (state.put(kind(part.kind), part.content) != null) {
                    throw new FrameException("the same part of the state twice");
                }
            }
            return state;
        } catch (CodecException e) {
            throw new FrameException("malformed state: " + e.getMessage(), e);
        }
    }

    static void wipe(Map<StateKind, byte[]> state) {
        state.values().forEach(content -> Arrays.fill(content, (byte) 0));
    }

    private static int code(StateKind kind) {
        return switch (kind) {
            case PERMANENT -> 1;
            case SAVED -> 2;
            case VOLATILE -> 3;
        };
    }

    private static StateKind kind(int code) throws FrameException {
        return switch (code) {
            case 1 -> StateKind.PERMANENT;
            case 2 -> StateKind.SAVED;
            case 3 -> StateKind.VOLATILE;
            default -> throw new FrameException("state of unknown kind " + code);
        };
    }

    /** Names nothing of the content. */
    @Override
    public String toString() {
        return "StateParts[" + parts.size() + " parts]";
    }
}
