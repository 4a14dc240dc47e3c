package org.vtpm.storage;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.storage.StateException;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.key.HostSecret;
import org.vtpm.storage.key.KeyRing;

/** Gives all owners new keys, one after the other, while they are in use. */
final class KeyRotation {
    private final Owners owners;
    private final KeyedJournal journal;
    private final SealedState states;
    private final Snapshots snapshots;
    private final SecureRandom random;

    KeyRotation(Owners owners, KeyedJournal journal, SealedState states, Snapshots snapshots, SecureRandom random) {
        this.owners = owners;
        this.journal = journal;
        this.states = states;
        this.snapshots = snapshots;
        this.random = random;
    }

    /** Seals all that data keys seal with new ones. */
    void rotateDataKeys() throws StateException {
        for (UUID owner : owners.all()) {
            owners.on(owner, () -> rotateDataKey(owner));
        }
    }

    /** Makes a new generation of the wrapping key, wraps all data keys with it, and forgets the old ones. */
    void rotateWrappingKey(HostSecret secret) throws StateException {
        journal.replaceRing(secret, old -> old.withNewGeneration(random));
        for (UUID owner : owners.all()) {
            owners.on(owner, () -> {
                byte[] dataKey = states.dataKey(owner);
                try {
                    journal.commit(List.of(states.wrapped(owner, dataKey)));
                } finally {
                    Secrets.zero(dataKey);
                }
            });
        }
        journal.replaceRing(secret, KeyRing::withCurrentGenerationOnly);
    }

    private void rotateDataKey(UUID owner) throws IOException {
        byte[] dataKey = KeyRing.newDataKey(random);
        try (InstanceSeal old = states.seal(owner);
                InstanceSeal next = new InstanceSeal(dataKey)) {
            List<Change> changes = new ArrayList<>();
            changes.add(states.wrapped(owner, dataKey));
            Map<StateKind, byte[]> state = states.read(owner, old);
            try {
                changes.addAll(states.changes(owner, next, state));
            } finally {
                state.values().forEach(Secrets::zero);
            }
            changes.addAll(snapshots.resealed(owner, old, next));
            journal.commit(changes);
        }
    }
}
