package org.vtpm.storage;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha256;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.ItemKey;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.key.KeyRing;
import org.vtpm.storage.key.Layouts;

/**
 * Ties the journal to a hardware counter, so that an older journal in its place is found. An anchor in the journal holds the
 * root of the hash tree and the value that the counter gets next; when it is durable, the counter is raised. A crash between the
 * two leaves an anchor one ahead of the counter: the next opening raises it, before anything else is written. So there is never
 * more than one journal that the counter agrees with, but for changes after its last anchor.
 */
final class Anchoring {
    private static final Logger LOG = LoggerFactory.getLogger(Anchoring.class);

    private final Journal journal;
    private final Supplier<List<RootOfTrust>> roots;
    /** What keeps the journal from being anchored, for the operator; empty if nothing does. */
    private String problem = "";

    /** Up to which commit the journal is anchored; none of those that there are now, if negative. */
    private long anchoredSequence = -1;

    /** How a journal stands to its counter. */
    enum Standing {
        /** It is the latest, or no counter is there to tell. */
        CURRENT,
        /** The counter was raised since: somebody put an older journal in the place of the latest. */
        OLD,
        /** The counter cannot be read, or is not the one that it was. */
        UNKNOWN
    }

    /**
     * What opening found out.
     *
     * @param standing the result
     * @param reason for the operator; empty if the journal is current
     * @param anchored value in the journal
     * @param counted value of the counter, 0 if it could not be read
     */
    record Finding(Standing standing, String reason, long anchored, long counted) {
        static final Finding CURRENT = new Finding(Standing.CURRENT, "", 0, 0);
    }

    private record Reachable(MonotonicCounters counters, KeyRing.Counter counter) {
        long read() throws RootOfTrustException {
            return counters.read(counter.id(), counter.secret());
        }

        long increment() throws RootOfTrustException {
            return counters.increment(counter.id(), counter.secret());
        }
    }

    /**
     * Does nothing yet.
     *
     * @param roots those that are there now
     */
    Anchoring(Journal journal, Supplier<List<RootOfTrust>> roots) {
        this.journal = journal;
        this.roots = roots;
    }

    /** What an anchor in the journal holds behind the root of the hash tree, which the journal checks. */
    private record Anchor(
            @Fixed(Sha256.LENGTH) byte[] root,
            long value,
            @Fixed(Sha256.LENGTH) byte[] counter) {}

    /** The value that the ring's counter has with the journal: where it was chosen, if no anchor names it yet. */
    synchronized OptionalLong anchored(KeyRing ring) throws IOException {
        KeyRing.@Nullable Counter counter = ring.counter();
        return counter == null ? OptionalLong.empty() : OptionalLong.of(anchored(counter));
    }

    private long anchored(KeyRing.Counter counter) throws IOException {
        @Nullable Item item = journal.find(ItemKey.ANCHOR).orElse(null);
        if (item == null) {
            return counter.base();
        }
        Anchor anchor = Layouts.decode(Anchor.class, journal.read(item));
        return Arrays.equals(anchor.counter, Sha256.of(counter.id())) ? anchor.value : counter.base();
    }

    /** Whether nothing was stored since the last anchor. */
    private boolean coversAll() throws IOException {
        @Nullable Item item = journal.find(ItemKey.ANCHOR).orElse(null);
        return item != null && Arrays.equals(Layouts.decode(Anchor.class, journal.read(item)).root, journal.root());
    }

    /** The counter's value, if it can be read. */
    synchronized OptionalLong counted(KeyRing ring) {
        try {
            return OptionalLong.of(reach(ring).read());
        } catch (RootOfTrustException e) {
            return OptionalLong.empty();
        }
    }

    /** Whether the root of trust that has the ring's counter is not there. */
    boolean waitsForRoot(KeyRing ring) {
        KeyRing.@Nullable Counter counter = ring.counter();
        return counter != null
                && roots.get().stream().noneMatch(root -> root.name().equals(counter.root()));
    }

    synchronized String problem() {
        return problem;
    }

    /** How many commits there were since the last anchor; those before the journal was opened count as one. */
    synchronized long unanchored() {
        return journal.sequence() - anchoredSequence;
    }

    /** Holds a journal that was just opened against its counter, and ends an anchoring that a crash cut short. */
    synchronized Finding check(KeyRing ring) throws IOException {
        KeyRing.@Nullable Counter counter = ring.counter();
        if (counter == null) {
            return Finding.CURRENT;
        }
        long anchored = anchored(counter);
        try {
            Reachable reachable = reach(ring);
            long counted = reachable.read();
            if (counted == anchored - 1) {
                counted = reachable.increment();
            }
            if (counted == anchored) {
                anchoredSequence = coversAll() ? journal.sequence() : -1;
                return Finding.CURRENT;
            }
            return counted > anchored
                    ? new Finding(
                            Standing.OLD,
                            "the storage is older than what was stored last: it was anchored at " + anchored
                                    + ", but the counter of root of trust \"" + counter.root() + "\" stands at "
                                    + counted,
                            anchored,
                            counted)
                    : new Finding(
                            Standing.UNKNOWN,
                            "the counter of root of trust \"" + counter.root() + "\" stands at " + counted + ", below "
                                    + anchored + " where the storage was anchored: it is not the counter it was",
                            anchored,
                            counted);
        } catch (RootOfTrustException e) {
            problem = String.valueOf(e.getMessage());
            return new Finding(
                    Standing.UNKNOWN,
                    "whether the storage is the latest cannot be told: " + e.getMessage(),
                    anchored,
                    0);
        }
    }

    /** Anchors all that is durable now, if anything was stored since the last time. What hinders it is logged once. */
    synchronized void anchor(KeyRing ring) throws IOException {
        KeyRing.@Nullable Counter counter = ring.counter();
        if (counter == null || unanchored() == 0) {
            return;
        }
        try {
            Reachable reachable = reach(ring);
            long counted = reachable.read();
            if (anchored(counter) == counted + 1) {
                // The last attempt wrote its anchor and failed to raise the counter. Whoever copied the disk then must
                // not
                // have a journal that agrees with the counter once this one does.
                counted = reachable.increment();
            }
            long next = counted + 1;
            byte[] name = Sha256.of(counter.id());
            journal.commitAnchor(root -> Codec.of(Anchor.class).encode(new Anchor(root, next, name)));
            long sequence = journal.sequence();
            long raised = reachable.increment();
            if (raised != next) {
                throw new RootOfTrustException("the counter went from " + (next - 1) + " to " + raised
                        + ": something else raises it, so that the storage would be taken for an old one");
            }
            anchoredSequence = sequence;
            if (!problem.isEmpty()) {
                LOG.info("The storage is anchored again, at {}", next);
            }
            problem = "";
        } catch (RootOfTrustException e) {
            if (!problem.equals(e.getMessage())) {
                LOG.error(
                        "What is stored is not anchored in the hardware counter, and could be replayed: {}",
                        e.getMessage());
            }
            problem = String.valueOf(e.getMessage());
        }
    }

    private Reachable reach(KeyRing ring) throws RootOfTrustException {
        KeyRing.Counter counter = ring.counter();
        if (counter == null) {
            throw new RootOfTrustException("no counter was made for this storage");
        }
        for (RootOfTrust root : roots.get()) {
            if (root.name().equals(counter.root())) {
                return new Reachable(
                        root.counters()
                                .orElseThrow(() -> new RootOfTrustException(
                                        "root of trust \"" + root.name() + "\" has no counters any more")),
                        counter);
            }
        }
        throw new RootOfTrustException(
                "root of trust \"" + counter.root() + "\" with the counter is not there: start its bundle");
    }
}
