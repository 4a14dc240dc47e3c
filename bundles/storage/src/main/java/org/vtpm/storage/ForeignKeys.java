package org.vtpm.storage;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.StateException;
import org.vtpm.storage.journal.Change;

/** The keys of TPMs elsewhere: each is the permanent state of an owner that a mark tells from an instance. */
final class ForeignKeys implements KeyVault {
    private static final byte[] MARK = {1};

    private final Owners owners;
    private final KeyedJournal journal;
    private final SealedState states;
    private final Refusals refusals;
    private final ReplayGuard guard;

    ForeignKeys(Owners owners, KeyedJournal journal, SealedState states, Refusals refusals, ReplayGuard guard) {
        this.owners = owners;
        this.journal = journal;
        this.states = states;
        this.refusals = refusals;
        this.guard = guard;
    }

    @Override
    public Set<UUID> owners() {
        return owners.foreign();
    }

    @Override
    public Optional<byte[]> load(UUID owner) throws StateException {
        if (!owners.isForeign(owner)) {
            return Optional.empty();
        }
        return owners.on(owner, () -> {
            refusals.check(owner);
            try (InstanceSeal seal = states.seal(owner)) {
                return Optional.ofNullable(states.read(owner, seal).get(StateKind.PERMANENT));
            }
        });
    }

    @Override
    public void store(UUID owner, byte[] key) throws StateException {
        if (key.length == 0 || key.length > LONGEST) {
            throw new IllegalArgumentException("a key of " + key.length + " bytes");
        }
        Map<StateKind, byte[]> state = Map.of(StateKind.PERMANENT, key);
        boolean made = owners.add(owner, true, () -> {
            Change mark = journal.next(ItemKind.FOREIGN.of(owner), version -> MARK);
            journal.commit(states.make(owner, mark, state));
        });
        if (made) {
            guard.anchorSoon();
            return;
        }
        owners.on(owner, () -> {
            requireForeign(owner);
            refusals.check(owner);
            try (InstanceSeal seal = states.seal(owner)) {
                journal.commit(states.changes(owner, seal, state));
            }
        });
    }

    @Override
    public void delete(UUID owner) throws StateException {
        owners.on(owner, () -> {
            requireForeign(owner);
            journal.delete(owner);
        });
        guard.anchorSoon();
    }

    private void requireForeign(UUID owner) throws StateException {
        if (!owners.isForeign(owner)) {
            throw new StateException(
                    "Instance " + owner + " is one of this manager: no TPM elsewhere can have its UUID");
        }
    }
}
