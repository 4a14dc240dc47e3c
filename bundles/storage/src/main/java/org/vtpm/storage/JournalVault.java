package org.vtpm.storage;

import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.StateException;

/** The keys of foreign TPMs in an open journal. */
final class JournalVault implements KeyVault {
    private final JournalStore store;

    JournalVault(JournalStore store) {
        this.store = store;
    }

    @Override
    public Set<UUID> owners() {
        return store.foreigners();
    }

    @Override
    public Optional<byte[]> load(UUID owner) throws StateException {
        return store.foreignKey(owner);
    }

    @Override
    public void store(UUID owner, byte[] key) throws StateException {
        if (key.length == 0 || key.length > LONGEST) {
            throw new IllegalArgumentException("a key of " + key.length + " bytes");
        }
        store.storeForeignKey(owner, key);
    }

    @Override
    public void delete(UUID owner) throws StateException {
        store.deleteForeignKey(owner);
    }
}
