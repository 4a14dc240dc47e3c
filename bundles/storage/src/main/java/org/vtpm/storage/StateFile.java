package org.vtpm.storage;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StateKind;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Secrets;

/**
 * What the file of an instance's state holds: the instance's data key, wrapped under the host key, and all parts of the
 * state, sealed together under the data key. Holds secrets until it is closed.
 */
final class StateFile implements AutoCloseable {
    /** A file of more bytes is refused: far above what a TPM can hold. */
    static final int LIMIT = 16 << 20;

    private static final String MAGIC = "VTPMSTAT";
    private static final int KEY_LENGTH = 32;

    private final Head head;
    private final byte[] dataKey;
    private final Map<StateKind, byte[]> parts;

    private StateFile(Head head, byte[] dataKey, Map<StateKind, byte[]> parts) {
        this.head = head;
        this.dataKey = dataKey;
        this.parts = parts;
    }

    /** What stands before the sealed state, and is authenticated with it. */
    private record Head(
            Header header,
            @Fixed(AesGcm.NONCE_LENGTH) byte[] keyNonce,
            @Fixed(KEY_LENGTH + AesGcm.TAG_LENGTH) byte[] wrappedKey) {}

    private record Sealed(
            Head head,
            @Fixed(AesGcm.NONCE_LENGTH) byte[] nonce,
            @Rest byte[] sealed) {}

    private record PartList(@Rest List<Part> parts) {}

    private record Part(@U8 int kind, @Sized(max = LIMIT) byte[] content) {}

    /** The first state of an instance, under a new data key. */
    static StateFile create(UUID instance, Map<StateKind, byte[]> parts, HostKey hostKey, SecureRandom random)
            throws IOException {
        Header header = Header.first(MAGIC, hostKey, instance);
        byte[] dataKey = random(random, KEY_LENGTH);
        byte[] keyNonce = random(random, AesGcm.NONCE_LENGTH);
        Head head = new Head(header, keyNonce, hostKey.wrap(dataKey, keyNonce, wrapAad(header)));
        return new StateFile(head, dataKey, merged(Map.of(), parts));
    }

    /** The next state: parts that are changed take the place of those there are, empty ones erase them. */
    StateFile changed(Map<StateKind, byte[]> changes) {
        // The data key keeps its first wrapping: the host key must not be worn out by nonces, one for each save of
        // anyone.
        Header next = head.header.withGeneration(generation() + 1);
        return new StateFile(new Head(next, head.keyNonce, head.wrappedKey), dataKey.clone(), merged(parts, changes));
    }

    /** How often the state was stored. */
    long generation() {
        return head.header.generation();
    }

    /** Copies of the parts there are; the caller zeroes them. */
    Map<StateKind, byte[]> copyParts() {
        return merged(Map.of(), parts);
    }

    /** The content of the file, sealed with a fresh nonce. */
    byte[] encode(SecureRandom random) throws IOException {
        if (!parts.containsKey(StateKind.PERMANENT)) {
            throw new IOException("an instance cannot be without permanent state");
        }
        List<Part> list = new ArrayList<>();
        parts.forEach((kind, content) -> list.add(new Part(code(kind), content)));
        byte[] nonce = random(random, AesGcm.NONCE_LENGTH);
        byte[] plaintext = Layouts.encode(PartList.class, new PartList(list));
        try {
            byte[] sealed = AesGcm.seal(dataKey, nonce, Layouts.encode(Head.class, head), plaintext);
            byte[] file = Layouts.encode(Sealed.class, new Sealed(head, nonce, sealed));
            if (file.length > LIMIT) {
                throw new IOException("a state of " + file.length + " bytes is too long to be stored");
            }
            return file;
        } finally {
            Secrets.zero(plaintext);
        }
    }

    /**
     * Checks and opens a file.
     *
     * @param instance whose state is expected
     * @throws IOException if it was changed, cut or is another instance's; the message says what is wrong with "it"
     */
    static StateFile decode(byte[] file, HostKey hostKey, UUID instance) throws IOException {
        Sealed sealed = Layouts.decode(Sealed.class, file);
        Head head = sealed.head;
        head.header.check(MAGIC, hostKey);
        byte @Nullable [] dataKey = null;
        byte @Nullable [] plaintext = null;
        try {
            dataKey = hostKey.unwrap(head.wrappedKey, head.keyNonce, wrapAad(head.header));
            plaintext = AesGcm.open(dataKey, sealed.nonce, Layouts.encode(Head.class, head), sealed.sealed);
            head.header.checkInstance(instance);
            return new StateFile(head, dataKey.clone(), parts(plaintext));
        } catch (AuthenticationException e) {
            throw new IOException("it is damaged or was changed: its authentication fails", e);
        } finally {
            Secrets.zero(dataKey, plaintext);
        }
    }

    @Override
    public void close() {
        Secrets.zero(dataKey);
        parts.values().forEach(Secrets::zero);
    }

    private static Map<StateKind, byte[]> parts(byte[] plaintext) throws IOException {
        Map<StateKind, byte[]> parts = new EnumMap<>(StateKind.class);
        for (Part part : Layouts.decode(PartList.class, plaintext).parts) {
            parts.put(kind(part.kind), part.content);
        }
        if (!parts.containsKey(StateKind.PERMANENT)) {
            throw new IOException("the permanent state is missing in it");
        }
        return parts;
    }

    /** Copies of parts with changes; none is shared with either map. */
    private static Map<StateKind, byte[]> merged(Map<StateKind, byte[]> parts, Map<StateKind, byte[]> changes) {
        Map<StateKind, byte[]> merged = new EnumMap<>(StateKind.class);
        for (StateKind kind : StateKind.values()) {
            byte @Nullable [] content = changes.containsKey(kind) ? changes.get(kind) : parts.get(kind);
            if (content != null && content.length > 0) {
                merged.put(kind, content.clone());
            }
        }
        return merged;
    }

    /** Binds a wrapped data key to the kind and version of its file, the host key and the instance, for all generations. */
    private static byte[] wrapAad(Header header) throws IOException {
        return Layouts.encode(Header.class, header.withGeneration(0));
    }

    private static int code(StateKind kind) {
        return switch (kind) {
            case PERMANENT -> 1;
            case SAVED -> 2;
            case VOLATILE -> 3;
        };
    }

    private static StateKind kind(int code) throws IOException {
        return switch (code) {
            case 1 -> StateKind.PERMANENT;
            case 2 -> StateKind.SAVED;
            case 3 -> StateKind.VOLATILE;
            default -> throw new IOException("it holds a kind of state unknown to this program: " + code);
        };
    }

    private static byte[] random(SecureRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
