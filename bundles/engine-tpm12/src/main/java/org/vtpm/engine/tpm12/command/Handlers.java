package org.vtpm.engine.tpm12.command;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;

/** Which commands work: filled once by the chapters, only read afterwards. */
public final class Handlers {
    private final Map<Integer, Bound<?>> byOrdinal = new HashMap<>();

    /** All commands of these chapters. */
    public static Handlers of(List<Chapter> chapters) {
        Handlers handlers = new Handlers();
        chapters.forEach(chapter -> chapter.register(handlers));
        return handlers;
    }

    /**
     * Registers the handler of a command.
     *
     * @param name as in the {@link CommandTable}
     * @param request the record that lays out handles and parameters
     * @throws IllegalArgumentException if there is no such command, or it has a handler
     */
    public <Q extends Record> void on(String name, Class<Q> request, Handler<Q> handler) {
        Command command = CommandTable.byName(name);
        Bound<Q> bound = new Bound<>(command, Codec.of(request), handler);
        if (byOrdinal.putIfAbsent(command.ordinal(), bound) != null) {
            throw new IllegalArgumentException("second handler of " + name);
        }
    }

    /** Whether TPM_GetCapability says that the ordinal is supported. */
    public boolean supports(int ordinal) {
        return byOrdinal.containsKey(ordinal);
    }

    /** The row of a command that works, or null. */
    @Nullable
    Command command(int ordinal) {
        Bound<?> bound = find(ordinal);
        return bound == null ? null : bound.command();
    }

    @Nullable
    Bound<?> find(int ordinal) {
        return byOrdinal.get(ordinal);
    }

    /** A command with what carries it out. */
    record Bound<Q extends Record>(Command command, Codec<Q> codec, Handler<Q> handler) {
        /** Decodes the request; {@link Call} carries it out later, after the checks that come in between. */
        Call decode(ByteReader in) throws CodecException {
            Q request = codec.read(in);
            return tx -> handler.handle(tx, request);
        }
    }

    /** A handler with its request. */
    @FunctionalInterface
    interface Call {
        Record run(Transaction tx);
    }
}
