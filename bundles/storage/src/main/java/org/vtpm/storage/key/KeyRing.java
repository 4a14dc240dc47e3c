package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U32;
import org.vtpm.codec.U8;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Hpke;
import org.vtpm.crypto.Secrets;

/**
 * What the host's secret opens: the generations of the key that wraps the instances' data keys, and what storage must know
 * and nobody may change unnoticed. Immutable; holds secrets until it is closed.
 */
public final class KeyRing implements AutoCloseable {
    private static final byte[] RING_PURPOSE = "vtpm storage 2: key ring".getBytes(US_ASCII);
    private static final byte[] WRAP_PURPOSE = "vtpm storage 2: data key".getBytes(US_ASCII);
    private static final int KEY_LENGTH = 32;

    private final Layout layout;

    private KeyRing(Layout layout) {
        this.layout = layout;
    }

    /** What to do with an instance whose state is older than what the counter anchors. */
    public enum ReplayPolicy {
        /** It stays closed until the operator signs for it. */
        STRICT,
        /** It starts, and the log says so. */
        AUDIT
    }

    /**
     * The hardware counter that anchors the storage.
     *
     * @param root name of the root of trust that has it
     * @param id the root's identifier for it
     * @param secret that using it needs
     * @param base its value when it was chosen: no anchor in the journal names it yet
     */
    public record Counter(String root, byte[] id, byte[] secret, long base) {}

    /** The seed is the rest, so that a ring reads that was stored before there were bundles: empty until it is needed. */
    private record Layout(
            @U8 int replayPolicy,
            @Sized(prefix = 2) byte[] operatorKey,
            @Present @Nullable CounterLayout counter,
            @Counted(prefix = 2) List<Generation> generations,
            @Rest byte[] exportSeed) {}

    private record CounterLayout(
            @Sized(prefix = 2) byte[] root,
            @Sized(prefix = 2) byte[] id,
            @Fixed(MonotonicCounters.SECRET_LENGTH) byte[] secret,
            long base) {}

    private record Generation(
            @U32 long number, @Fixed(KEY_LENGTH) byte[] key) {}

    /** A data key as it is stored: the generation that wrapped it, and the sealed key. */
    private record Wrapped(
            @U32 long generation,
            @Fixed(KEY_LENGTH + Sealing.OVERHEAD) byte[] sealed) {}

    /** A new ring with one generation. */
    public static KeyRing random(SecureRandom random) {
        return new KeyRing(new Layout(
                code(ReplayPolicy.STRICT),
                new byte[0],
                null,
                List.of(new Generation(1, bytes(random, KEY_LENGTH))),
                new byte[0]));
    }

    /** Opens a stored ring. */
    public static KeyRing open(byte[] sealed, HostSecret secret) throws IOException {
        byte[] plaintext;
        try {
            plaintext = secret.open(sealed, ringAad(secret));
        } catch (AuthenticationException e) {
            throw new IOException("the key ring does not open with this host's secret, or was changed", e);
        }
        try {
            KeyRing ring = new KeyRing(Layouts.decode(Layout.class, plaintext));
            if (ring.layout.generations.isEmpty()) {
                throw new IOException("the key ring is empty");
            }
            if (ring.layout.replayPolicy < 1 || ring.layout.replayPolicy > ReplayPolicy.values().length) {
                throw new IOException("the key ring has an unknown replay policy " + ring.layout.replayPolicy);
            }
            if (ring.layout.exportSeed.length != 0 && ring.layout.exportSeed.length != Hpke.SEED_LENGTH) {
                throw new IOException("the key ring has a seed of " + ring.layout.exportSeed.length
                        + " bytes for bundles: it is from a newer version of this program");
            }
            return ring;
        } finally {
            Secrets.zero(plaintext);
        }
    }

    /** The ring as it is stored. */
    public byte[] seal(HostSecret secret, SecureRandom random) throws IOException {
        byte[] plaintext = Layouts.encode(Layout.class, layout);
        try {
            return secret.seal(plaintext, ringAad(secret), random);
        } finally {
            Secrets.zero(plaintext);
        }
    }

    /** Number of the generation that wraps new data keys. */
    public long generation() {
        return current().number;
    }

    /** How many generations there are: more than one while data keys are wrapped anew. */
    public int generations() {
        return layout.generations.size();
    }

    /** A new data key. The caller zeroes it. */
    public static byte[] newDataKey(SecureRandom random) {
        return bytes(random, KEY_LENGTH);
    }

    /**
     * Wraps an instance's data key under the current generation.
     *
     * @param version of the data key among those of the instance
     */
    public byte[] wrap(byte[] dataKey, UUID instance, long version, SecureRandom random) throws IOException {
        Generation current = current();
        byte[] sealed = Sealing.seal(current.key, wrapAad(instance, version, current.number), dataKey, random);
        return Layouts.encode(Wrapped.class, new Wrapped(current.number, sealed));
    }

    /**
     * Unwraps what {@link #wrap} made.
     *
     * @return the data key; the caller zeroes it
     */
    public byte[] unwrap(byte[] wrapped, UUID instance, long version) throws IOException {
        Wrapped layout = Layouts.decode(Wrapped.class, wrapped);
        for (Generation generation : this.layout.generations) {
            if (generation.number == layout.generation) {
                try {
                    return Sealing.open(generation.key, wrapAad(instance, version, generation.number), layout.sealed);
                } catch (AuthenticationException e) {
                    throw new IOException("the data key of " + instance + " was changed, or is another's", e);
                }
            }
        }
        throw new IOException("the data key of " + instance + " is of generation " + layout.generation
                + ", which is not in the key ring");
    }

    /** The generation that a stored data key is wrapped under. */
    public static long generationOf(byte[] wrapped) throws IOException {
        return Layouts.decode(Wrapped.class, wrapped).generation;
    }

    /** A ring with one more generation, which wraps from now on. */
    public KeyRing withNewGeneration(SecureRandom random) {
        List<Generation> more = new ArrayList<>(layout.generations);
        more.add(new Generation(generation() + 1, bytes(random, KEY_LENGTH)));
        return copy(layout.replayPolicy, layout.operatorKey, layout.counter, more, layout.exportSeed);
    }

    /** A ring without the generations that are not the current one: nothing may be wrapped under them any more. */
    public KeyRing withCurrentGenerationOnly() {
        return copy(layout.replayPolicy, layout.operatorKey, layout.counter, List.of(current()), layout.exportSeed);
    }

    /** The key that signs tokens, a DER SubjectPublicKeyInfo; empty if there is none. */
    public byte[] operatorKey() {
        return layout.operatorKey.clone();
    }

    /** A ring with another operator's key. */
    public KeyRing withOperatorKey(byte[] key) {
        return copy(layout.replayPolicy, key, layout.counter, layout.generations, layout.exportSeed);
    }

    /** What becomes of an instance whose state is old. */
    public ReplayPolicy replayPolicy() {
        return switch (layout.replayPolicy) {
            case 1 -> ReplayPolicy.STRICT;
            case 2 -> ReplayPolicy.AUDIT;
            default -> throw new IllegalStateException("opening a ring checks its policy");
        };
    }

    /** A ring with another policy. */
    public KeyRing withReplayPolicy(ReplayPolicy policy) {
        return copy(code(policy), layout.operatorKey, layout.counter, layout.generations, layout.exportSeed);
    }

    /** The counter that anchors the storage, if there is one. */
    public @Nullable Counter counter() {
        CounterLayout counter = layout.counter;
        return counter == null
                ? null
                : new Counter(
                        new String(counter.root, UTF_8), counter.id.clone(), counter.secret.clone(), counter.base);
    }

    /** A ring with another counter, or none. */
    public KeyRing withCounter(@Nullable Counter counter) {
        return copy(
                layout.replayPolicy,
                layout.operatorKey,
                counter == null
                        ? null
                        : new CounterLayout(counter.root.getBytes(UTF_8), counter.id, counter.secret, counter.base),
                layout.generations,
                layout.exportSeed);
    }

    /** What the host's key pair for bundles is derived from; empty if none was needed yet. The caller zeroes it. */
    public byte[] exportSeed() {
        return layout.exportSeed.clone();
    }

    /** The host's public key for bundles, if it was needed yet. */
    public Optional<ExportKey> exportKey() {
        return layout.exportSeed.length == 0 ? Optional.empty() : Optional.of(ExportKey.ofSeed(layout.exportSeed));
    }

    /** A ring with a key pair for bundles: the one that there is, or a new one. */
    public KeyRing withExportKey(SecureRandom random) {
        byte[] seed = layout.exportSeed.length == 0 ? bytes(random, Hpke.SEED_LENGTH) : layout.exportSeed;
        return copy(layout.replayPolicy, layout.operatorKey, layout.counter, layout.generations, seed);
    }

    @Override
    public void close() {
        layout.generations.forEach(generation -> Secrets.zero(generation.key));
        Secrets.zero(layout.exportSeed);
        if (layout.counter != null) {
            Secrets.zero(layout.counter.secret);
        }
    }

    /** A ring that shares no secret with this one, so that each can be closed. */
    private KeyRing copy(
            int policy,
            byte[] operatorKey,
            @Nullable CounterLayout counter,
            List<Generation> generations,
            byte[] exportSeed) {
        return new KeyRing(new Layout(
                policy,
                operatorKey.clone(),
                counter == null
                        ? null
                        : new CounterLayout(counter.root, counter.id.clone(), counter.secret.clone(), counter.base),
                generations.stream()
                        .map(generation -> new Generation(generation.number, generation.key.clone()))
                        .toList(),
                exportSeed.clone()));
    }

    private Generation current() {
        return layout.generations.get(layout.generations.size() - 1);
    }

    private static byte[] ringAad(HostSecret secret) {
        return ByteBuffer.allocate(RING_PURPOSE.length + HostSecret.ID_LENGTH)
                .put(RING_PURPOSE)
                .put(secret.id())
                .array();
    }

    private static byte[] wrapAad(UUID instance, long version, long generation) {
        return ByteBuffer.allocate(WRAP_PURPOSE.length + 4 * Long.BYTES)
                .put(WRAP_PURPOSE)
                .putLong(instance.getMostSignificantBits())
                .putLong(instance.getLeastSignificantBits())
                .putLong(version)
                .putLong(generation)
                .array();
    }

    private static int code(ReplayPolicy policy) {
        return switch (policy) {
            case STRICT -> 1;
            case AUDIT -> 2;
        };
    }

    private static byte[] bytes(SecureRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
