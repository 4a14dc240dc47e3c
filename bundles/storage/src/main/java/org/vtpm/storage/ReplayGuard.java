package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.storage.StateException;
import org.vtpm.storage.Anchoring.Finding;
import org.vtpm.storage.Anchoring.Standing;
import org.vtpm.storage.key.HostSecret;
import org.vtpm.storage.key.KeyRing;
import org.vtpm.storage.key.KeyRing.ReplayPolicy;

/** Decides by the replay policy what becomes of a journal that its counter disagrees with, and when it is anchored. */
final class ReplayGuard {
    private static final Logger LOG = LoggerFactory.getLogger(ReplayGuard.class);

    private final Path folder;
    private final KeyedJournal journal;
    private final Owners owners;
    private final Refusals refusals;
    private final Anchoring anchoring;
    private final Executor later;
    private final AtomicBoolean anchoringIsDue = new AtomicBoolean();

    /**
     * Does nothing yet.
     *
     * @param folder of the storage, for the log
     * @param later runs what need not be done at once, in a moment, so that several changes share it
     */
    ReplayGuard(
            Path folder, KeyedJournal journal, Owners owners, Refusals refusals, Anchoring anchoring, Executor later) {
        this.folder = folder;
        this.journal = journal;
        this.owners = owners;
        this.refusals = refusals;
        this.anchoring = anchoring;
        this.later = later;
    }

    /** Holds the journal against its counter, after it was opened and when a root of trust arrives that may have it. */
    void check() throws IOException {
        var unused = owners.aloneIfOpen(() -> {
            if (refusals.standing() == Standing.OLD) {
                return;
            }
            KeyRing ring = journal.ring();
            Finding finding = anchoring.check(ring);
            boolean strict = ring.replayPolicy() == ReplayPolicy.STRICT;
            Set<UUID> all = Set.copyOf(owners.all());
            refusals.found(finding, strict ? all : Set.of());
            if (finding.standing() == Standing.CURRENT) {
                return;
            }
            LOG.error(
                    "Storage {}: {}. {}",
                    folder,
                    finding.reason(),
                    strict
                            ? "All " + all.size() + " instances in it stay closed"
                            : "Its " + all.size() + " instances start all the same, for the replay policy is audit");
            if (!strict && finding.standing() == Standing.OLD) {
                anchoring.anchor(ring);
            }
        });
    }

    /** Whether it cannot be told if this is the latest state, because the root of trust that has the counter is not there. */
    boolean waitsForCounter() {
        return refusals.standing() == Standing.UNKNOWN && journal.look(anchoring::waitsForRoot);
    }

    /** Anchors what was stored since the last time. */
    void anchor() throws IOException {
        owners.togetherIfOpen(() -> {
            // A journal that was found old is written to by an operator's will only, and one that nobody knows to be
            // the latest must not become it.
            if (refusals.mayAnchor()) {
                anchoring.anchor(journal.ring());
            }
        });
    }

    /** What is made or undone as a whole is anchored in a moment, and not only when the interval is over. */
    void anchorSoon() {
        if (anchoringIsDue.compareAndSet(false, true)) {
            try {
                later.execute(() -> {
                    anchoringIsDue.set(false);
                    anchorQuietly();
                });
            } catch (RejectedExecutionException e) {
                // The storage is being closed, which anchors.
                anchoringIsDue.set(false);
            }
        }
    }

    /** Anchors, and logs what hinders it. */
    void anchorQuietly() {
        try {
            anchor();
        } catch (IOException e) {
            LOG.error("Storage {}: {}", folder, DiskErrors.describe(e));
        }
    }

    /** Anchors the journal in another counter. What is refused stays so, for the new counter knows nothing of it. */
    void replaceCounter(HostSecret secret, KeyRing.Counter counter) throws StateException {
        owners.alone(() -> {
            journal.storeWithCounter(secret, counter);
            anchoring.anchor(journal.ring());
        });
    }

    Anchoring anchoring() {
        return anchoring;
    }

    /** The owners that stay closed. */
    Set<UUID> refused() {
        return new TreeSet<>(refusals.instances());
    }
}
