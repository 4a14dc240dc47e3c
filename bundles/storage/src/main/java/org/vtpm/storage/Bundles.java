package org.vtpm.storage;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.api.storage.StateException;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.key.BundleSeal;
import org.vtpm.storage.key.KeyRing;

/** Puts an instance with its TPM into one encrypted file, and opens those that others made. */
final class Bundles {
    private final Owners owners;
    private final KeyedJournal journal;
    private final Records records;
    private final SealedState states;
    private final Refusals refusals;
    private final SecureRandom random;

    Bundles(
            Owners owners,
            KeyedJournal journal,
            Records records,
            SealedState states,
            Refusals refusals,
            SecureRandom random) {
        this.owners = owners;
        this.journal = journal;
        this.records = records;
        this.states = states;
        this.refusals = refusals;
        this.random = random;
    }

    byte[] export(UUID instance, BundleRecipient recipient) throws StateException {
        byte[] content = owners.on(instance, () -> {
            refusals.check(instance);
            InstanceRecord record = records.read(instance);
            try (InstanceSeal seal = states.seal(instance)) {
                Map<StateKind, byte[]> state = states.read(instance, seal);
                try {
                    return BundleContent.encode(record, Instant.now(), state);
                } finally {
                    state.values().forEach(Secrets::zero);
                }
            }
        });
        // Not in the instance's turn: to make a key of a pass phrase takes a second, in which its guest may go on.
        try {
            return BundleSeal.seal(recipient, content, random);
        } catch (IOException e) {
            throw new StateException("Instance " + instance + ": " + e.getMessage(), e);
        } finally {
            Secrets.zero(content);
        }
    }

    /** What opens a file, if it is a bundle. */
    Optional<BundleLock> lock(byte[] file) throws StateException {
        try {
            return BundleSeal.lock(file);
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    /**
     * Opens a bundle; nothing is stored.
     *
     * @param passphrase null if it is for this host
     */
    InstanceBundle open(byte[] bundle, byte @Nullable [] passphrase) throws StateException {
        byte[] seed = journal.look(KeyRing::exportSeed);
        byte[] content = {};
        try {
            content = passphrase == null ? BundleSeal.openHere(seed, bundle) : BundleSeal.openWith(passphrase, bundle);
            return BundleContent.decode(content);
        } catch (IOException e) {
            throw unusable(e);
        } finally {
            Secrets.zero(seed, content);
        }
    }

    private static StateException unusable(IOException e) {
        return new StateException("the bundle cannot be opened: " + e.getMessage(), e);
    }
}
