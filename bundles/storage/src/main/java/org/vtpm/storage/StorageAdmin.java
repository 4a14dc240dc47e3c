package org.vtpm.storage;

import java.io.IOException;
import java.security.SecureRandom;
import java.security.spec.InvalidKeySpecException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration;
import org.vtpm.api.storage.StorageStatus;
import org.vtpm.crypto.VerificationKey;
import org.vtpm.storage.journal.JournalStatistics;
import org.vtpm.storage.journal.JournalVerifier;
import org.vtpm.storage.key.KeyRing;

/** What an operator does with an open storage. */
final class StorageAdmin implements StorageAdministration {
    private final StorageFolder folder;
    private final JournalStore store;
    private final RootAdmin roots;
    private final SecureRandom random = new SecureRandom();

    StorageAdmin(StorageFolder folder, JournalStore store, RootAdmin roots) {
        this.folder = folder;
        this.store = store;
        this.roots = roots;
    }

    @Override
    public StorageStatus status() {
        JournalStatistics journal = store.journal().statistics();
        Anchoring anchoring = store.guard().anchoring();
        return store.journal().look(ring -> {
            KeyRing.@Nullable Counter counter = ring.counter();
            return new StorageStatus(
                    folder.root().toString(),
                    store.size(),
                    journal.liveBytes(),
                    journal.deadBytes(),
                    journal.commits(),
                    ring.generation(),
                    policy(ring),
                    counter == null ? "" : counter.root(),
                    anchored(ring),
                    counter == null ? 0 : anchoring.unanchored(),
                    List.copyOf(store.guard().refused()),
                    anchoring.problem());
        });
    }

    @Override
    public List<String> verify() throws StateException {
        try {
            List<String> findings = new ArrayList<>();
            folder.readHostKey(folder.hostKey());
            JournalVerifier.verify(folder.disk(), folder.journal())
                    .findings()
                    .forEach(finding -> findings.add(finding.toString()));
            return findings;
        } catch (IOException e) {
            throw new StateException("Storage " + folder.root() + ": " + DiskErrors.describe(e), e);
        }
    }

    @Override
    public void compact() throws StateException {
        store.journal().compact();
    }

    @Override
    public void rotate(KeyLevel level) throws StateException {
        switch (level) {
            case HOST -> roots.rotateSecret();
            case WRAPPING -> roots.withSecret(store.rotation()::rotateWrappingKey);
            case DATA -> store.rotation().rotateDataKeys();
        }
    }

    @Override
    public void replayPolicy(ReplayPolicy policy) throws StateException {
        KeyRing.ReplayPolicy stored = switch (policy) {
            case STRICT -> KeyRing.ReplayPolicy.STRICT;
            case AUDIT -> KeyRing.ReplayPolicy.AUDIT;
        };
        roots.replaceRing(ring -> ring.withReplayPolicy(stored));
    }

    @Override
    public void operatorKey(byte[] key) throws StateException {
        try {
            VerificationKey.ofSubjectPublicKeyInfo(key);
        } catch (InvalidKeySpecException e) {
            throw new StateException("The operator's key cannot be used: " + e.getMessage(), e);
        }
        roots.replaceRing(ring -> ring.withOperatorKey(key));
    }

    @Override
    public byte[] revertToken(UUID instance) throws StateException {
        return store.reverts().token(instance);
    }

    @Override
    public void revert(UUID instance, byte[] signature) throws StateException {
        store.reverts().revert(instance, signature);
    }

    @Override
    public byte[] hostKey() throws StateException {
        if (store.journal().look(KeyRing::exportKey).isEmpty()) {
            roots.replaceRing(ring -> ring.withExportKey(random));
        }
        return store.journal()
                .look(KeyRing::exportKey)
                .orElseThrow(() -> new IllegalStateException("the key for bundles was just stored"))
                .subjectPublicKeyInfo();
    }

    private OptionalLong anchored(KeyRing ring) {
        try {
            return store.guard().anchoring().anchored(ring);
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    private static ReplayPolicy policy(KeyRing ring) {
        return switch (ring.replayPolicy()) {
            case STRICT -> ReplayPolicy.STRICT;
            case AUDIT -> ReplayPolicy.AUDIT;
        };
    }
}
