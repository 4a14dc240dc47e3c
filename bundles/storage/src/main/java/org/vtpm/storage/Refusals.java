package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.storage.StateException;
import org.vtpm.storage.Anchoring.Finding;
import org.vtpm.storage.Anchoring.Standing;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.Journal;

/**
 * The instances that stay closed because their state is old or nobody can tell. A mark in the journal keeps one closed from
 * then on; without a mark it is this opening only that found it so.
 */
final class Refusals {
    private final Map<UUID, String> reasons = new ConcurrentHashMap<>();
    private final Set<UUID> marked = ConcurrentHashMap.newKeySet();
    private volatile Standing standing = Standing.CURRENT;

    /** Those that marks in a journal that was just opened keep closed. */
    Refusals(Journal journal) throws IOException {
        for (UUID owner : journal.owners()) {
            @Nullable Item mark = journal.find(ItemKind.REPLAYED.of(owner)).orElse(null);
            if (mark != null) {
                addMarked(owner, new String(journal.read(mark), UTF_8));
            }
        }
    }

    /** An instance that a mark in the journal keeps closed. */
    void addMarked(UUID instance, String reason) {
        reasons.put(instance, reason);
        marked.add(instance);
    }

    /** What holding the journal against its counter found; it takes the place of what was found before. */
    void found(Finding finding, Set<UUID> refused) {
        reasons.keySet().retainAll(marked);
        standing = finding.standing();
        if (standing != Standing.CURRENT) {
            refused.forEach(instance -> reasons.putIfAbsent(instance, finding.reason()));
        }
    }

    Standing standing() {
        return standing;
    }

    /** Whether a new anchor would hide nothing: all that is refused has a mark. */
    boolean mayAnchor() {
        return standing != Standing.UNKNOWN && unmarked().isEmpty();
    }

    Set<UUID> unmarked() {
        Set<UUID> unmarked = new TreeSet<>(reasons.keySet());
        unmarked.removeAll(marked);
        return unmarked;
    }

    /** Marks were stored for these. */
    void marked(Set<UUID> instances) {
        marked.addAll(instances);
    }

    /** Marks were stored for all, and the journal is tied to a counter that knows nothing else. */
    void allMarked() {
        marked.addAll(reasons.keySet());
        standing = Standing.CURRENT;
    }

    void remove(UUID instance) {
        reasons.remove(instance);
        marked.remove(instance);
    }

    Set<UUID> instances() {
        return reasons.keySet();
    }

    Optional<String> reason(UUID instance) {
        return Optional.ofNullable(reasons.get(instance));
    }

    void check(UUID instance) throws StateException {
        String reason = reasons.get(instance);
        if (reason != null) {
            throw new StateException("Instance " + instance + " stays closed: " + reason
                    + ". Put back the latest storage folder, or the TPM with the counter, and start it again;"
                    + " or sign for this one with vtpm:storage revert");
        }
    }
}
