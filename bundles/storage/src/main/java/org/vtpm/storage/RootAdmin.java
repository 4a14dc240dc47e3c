package org.vtpm.storage;

import java.io.Closeable;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.PolicyDraft;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.RootStatus;
import org.vtpm.api.storage.StateException;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.key.HostKeyFile;
import org.vtpm.storage.key.HostSecret;
import org.vtpm.storage.key.KeyRing;
import org.vtpm.storage.key.RecoveryKeys;
import org.vtpm.storage.key.SealedSecret;

/** Changes who holds the host's secret: each change replaces {@code host.key}, after the new holder was tried. */
final class RootAdmin implements RootAdministration {
    private static final Logger LOG = LoggerFactory.getLogger(RootAdmin.class);

    private final StorageFolder folder;
    private final Supplier<List<RootOfTrust>> roots;
    private final Storage storage;
    private final SecureRandom random = new SecureRandom();

    /** What recovery keys opened, for the changes that let a root of trust open it again; kept until one does. */
    private @Nullable HostSecret recovered;

    /** The storage that is opened and closed around this. */
    interface Storage {
        /** The store, while it is open. */
        @Nullable
        JournalStore store();

        /** Opens it, if it is closed. */
        void open(StorageOpener.Release release) throws StateException;
    }

    RootAdmin(StorageFolder folder, Supplier<List<RootOfTrust>> roots, Storage storage) {
        this.folder = folder;
        this.roots = roots;
        this.storage = storage;
    }

    @FunctionalInterface
    private interface Change {
        SealedSecret apply(SealedSecret sealed, HostSecret secret) throws IOException;
    }

    @Override
    public synchronized List<RootStatus> roots() {
        Map<String, RootStatus> all = new LinkedHashMap<>();
        Optional<SealedSecret> sealed = sealed();
        @Nullable JournalStore store = storage.store();
        for (RootOfTrust root : roots.get()) {
            Optional<byte[]> blob = sealed.flatMap(secret -> secret.blob(root.name()));
            all.putIfAbsent(
                    root.name(),
                    new RootStatus(
                            root.name(),
                            root.place(),
                            true,
                            root.developmentOnly(),
                            blob.isPresent(),
                            sealed.map(secret -> secret.earlier(root.name()) > 0)
                                    .orElse(false),
                            blob.map(root::examine).orElse(null),
                            store == null ? OptionalLong.empty() : anchor(store, root)));
        }
        sealed.map(SealedSecret::roots)
                .orElse(List.of())
                .forEach(name -> all.putIfAbsent(
                        name, new RootStatus(name, "", false, false, true, false, null, OptionalLong.empty())));
        return List.copyOf(all.values());
    }

    @Override
    public synchronized void enroll(String name, SealingTerms terms) throws StateException {
        RootOfTrust root = present(name);
        change((held, secret) -> held.sealed(root, secret, terms).settled(root));
        LOG.info("Root of trust {} at {} holds the host's secret of storage {}", name, root.place(), folder.root());
        if (store().journal().look(KeyRing::counter) == null) {
            makeCounter(root, terms.ownerAuth());
        }
        if (terms.operatorKey().length > 0 && store().journal().look(KeyRing::operatorKey).length == 0) {
            replaceRing(ring -> ring.withOperatorKey(terms.operatorKey()));
        }
    }

    @Override
    public synchronized void reseal(String name, byte[] ownerAuth) throws StateException {
        RootOfTrust root = present(name);
        change((held, secret) -> held.resealed(root, secret, held.genuine(root, secret), ownerAuth)
                .settled(root));
        LOG.info("Root of trust {} sealed the host's secret of storage {} anew", name, folder.root());
        KeyRing.@Nullable Counter counter = store().journal().look(KeyRing::counter);
        if (counter != null
                && counter.root().equals(name)
                && anchor(store(), root).isEmpty()) {
            makeCounter(root, ownerAuth);
        }
    }

    @Override
    public synchronized void withdraw(String name) throws StateException {
        change((held, secret) -> {
            enrolled(held, name);
            SealedSecret without = held.without(name);
            try {
                tried(without);
            } catch (IOException e) {
                throw new IOException(
                        "without root of trust \"" + name + "\" the storage would not open: " + e.getMessage(), e);
            }
            return without;
        });
        LOG.info("Root of trust {} does not hold the host's secret of storage {} any more", name, folder.root());
    }

    @Override
    public synchronized PolicyDraft draft(String name, List<PcrValue> values) throws StateException {
        try {
            RootOfTrust root = present(name);
            PlatformPolicies policies = policies(root);
            byte[] blob = enrolled(stored(), name);
            List<PcrValue> whole = whole(policies, blob, values);
            return new PolicyDraft(whole, policies.toSign(blob, whole));
        } catch (RootOfTrustException | IOException e) {
            throw failure(e);
        }
    }

    @Override
    public synchronized void approve(String name, List<PcrValue> values, byte[] signature) throws StateException {
        RootOfTrust root = present(name);
        PlatformPolicies policies = policies(root);
        if (storage.store() == null) {
            approveWhileClosed(root, policies, values, signature);
        } else {
            change((held, secret) ->
                    held.approved(root, policies, secret, values, signature).settled(root));
        }
        LOG.info("Root of trust {}: a policy was added that the operator signed", name);
        if (storage.store() == null && opens(root)) {
            storage.open(held -> held.release(roots.get()));
        }
    }

    /** After an update that nobody approved of before, nothing releases the secret until this is done. */
    private void approveWhileClosed(
            RootOfTrust root, PlatformPolicies policies, List<PcrValue> values, byte[] signature)
            throws StateException {
        try {
            Closeable lock = folder.disk().lock(folder.lock());
            try {
                SealedSecret next = stored().approved(root, policies, values, signature);
                folder.replaceHostKey(folder.readHostKey(folder.hostKey()).with(next));
            } finally {
                lock.close();
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private boolean opens(RootOfTrust root) {
        return sealed().flatMap(secret -> secret.blob(root.name()))
                .map(blob -> root.examine(blob).opens())
                .orElse(false);
    }

    @Override
    public synchronized List<char[]> makeRecoveryKeys(int quorum, int count) throws StateException {
        try (RecoveryKeys keys = RecoveryKeys.make(quorum, count, random)) {
            change((held, secret) -> held.with(keys, secret));
            LOG.info("Storage {} has new recovery keys: {} of {} open it", folder.root(), quorum, count);
            return keys.texts();
        } catch (IllegalArgumentException e) {
            throw new StateException("Recovery keys: " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized void recover(List<char[]> keys) throws StateException {
        if (storage.store() != null) {
            throw new StateException("Storage " + folder.root() + " is open: there is nothing to recover");
        }
        boolean opened = false;
        try {
            storage.open(held -> {
                HostSecret secret = held.recover(keys);
                recovered = secret.duplicate();
                return secret;
            });
            opened = true;
        } finally {
            if (!opened) {
                forgetRecovered();
            }
        }
        LOG.warn("Storage {} was opened with recovery keys: reseal or replace the root of trust", folder.root());
    }

    @Override
    public synchronized int recoveryQuorum() {
        return sealed().map(SealedSecret::quorum).orElse(0);
    }

    /** Moves the storage under a new secret, sealed by all roots of trust that hold the old one. */
    synchronized void rotateSecret() throws StateException {
        try (HostSecret next = HostSecret.random(random);
                HostSecret before = release(current())) {
            SealedSecret old = current();
            SealedSecret sealed = SealedSecret.of(next).withRecoveryOf(old, next);
            for (String name : old.roots()) {
                // Owner's authorization is needed by none of them, for the objects that it allows to make are there.
                RootOfTrust root = present(name);
                sealed = sealed.resealed(root, next, old.genuine(root, before), new byte[0]);
            }
            tried(sealed);
            HostKeyFile file = folder.readHostKey(folder.hostKey());
            folder.replaceHostKey(file.with(sealed));
            store().journal().moveUnder(next);
            folder.replaceHostKey(HostKeyFile.only(sealed));
            forgetRecovered();
            LOG.info("Storage {} has a new secret", folder.root());
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Changes the key ring, for which a root of trust has to release the secret. */
    synchronized void replaceRing(UnaryOperator<KeyRing> change) throws StateException {
        try (HostSecret secret = release(current())) {
            store().journal().replaceRing(secret, change);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Does something that the secret is needed for. */
    synchronized void withSecret(SecretUse use) throws StateException {
        try (HostSecret secret = release(current())) {
            use.apply(secret);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** What needs the host's secret for a moment. */
    @FunctionalInterface
    interface SecretUse {
        void apply(HostSecret secret) throws IOException;
    }

    private void change(Change change) throws StateException {
        try {
            SealedSecret sealed = current();
            try (HostSecret secret = release(sealed)) {
                SealedSecret next = change.apply(sealed, secret);
                folder.replaceHostKey(folder.readHostKey(folder.hostKey()).with(next));
                forgetRecoveredIfOpen(next);
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Fails unless a root of trust opens it now. */
    private void tried(SealedSecret sealed) throws IOException {
        sealed.release(roots.get()).close();
    }

    /** Zeroes what recovery keys opened: nothing may ask for it any more. */
    synchronized void forgetRecovered() {
        if (recovered != null) {
            recovered.close();
            recovered = null;
        }
    }

    private void forgetRecoveredIfOpen(SealedSecret sealed) {
        if (recovered == null) {
            return;
        }
        try {
            tried(sealed);
        } catch (IOException closed) {
            return;
        }
        forgetRecovered();
    }

    private void makeCounter(RootOfTrust root, byte[] ownerAuth) throws StateException {
        Optional<MonotonicCounters> counters = root.counters();
        if (counters.isEmpty()) {
            return;
        }
        byte[] secret = new byte[MonotonicCounters.SECRET_LENGTH];
        random.nextBytes(secret);
        try {
            byte[] id = counters.get().create(secret, ownerAuth);
            long base = counters.get().read(id, secret);
            KeyRing.Counter counter = new KeyRing.Counter(root.name(), id, secret, base);
            withSecret(host -> store().guard().replaceCounter(host, counter));
            LOG.info("Storage {} is anchored in a counter of root of trust {}", folder.root(), root.name());
        } catch (RootOfTrustException e) {
            throw new StateException(
                    "Root of trust \"" + root.name()
                            + "\" is enrolled, but makes no counter, so that an older storage in"
                            + " the place of the latest would not be found: " + e.getMessage(),
                    e);
        }
    }

    private static OptionalLong anchor(JournalStore store, RootOfTrust root) {
        return store.journal().look(ring -> {
            KeyRing.@Nullable Counter counter = ring.counter();
            return counter == null || !counter.root().equals(root.name())
                    ? OptionalLong.empty()
                    : store.guard().anchoring().counted(ring);
        });
    }

    private static List<PcrValue> whole(PlatformPolicies policies, byte[] blob, List<PcrValue> given)
            throws RootOfTrustException {
        Map<Integer, PcrValue> values = new TreeMap<>();
        Set<Integer> indices = policies.indices(blob);
        policies.pcrs(indices).forEach(value -> values.put(value.index(), value));
        for (PcrValue value : given) {
            if (values.put(value.index(), value) == null) {
                throw new RootOfTrustException("PCR " + value.index() + " is not one of those sealed to: "
                        + indices.stream().sorted().map(String::valueOf).collect(Collectors.joining(", ")));
            }
        }
        return new ArrayList<>(values.values());
    }

    private HostSecret release(SealedSecret sealed) throws IOException {
        try {
            return sealed.release(roots.get());
        } catch (IOException e) {
            if (recovered != null && recovered.hasId(sealed.id())) {
                return recovered.duplicate();
            }
            throw e;
        }
    }

    private static byte[] enrolled(SealedSecret sealed, String name) throws IOException {
        return sealed.blob(name)
                .orElseThrow(() -> new IOException("root of trust \"" + name + "\" is not enrolled; enrolled are: "
                        + String.join(", ", sealed.roots())));
    }

    private RootOfTrust present(String name) throws StateException {
        List<RootOfTrust> all = roots.get();
        return all.stream()
                .filter(root -> root.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new StateException("There is no root of trust \"" + name + "\"; there is: "
                        + all.stream().map(RootOfTrust::name).collect(Collectors.joining(", "))));
    }

    private static PlatformPolicies policies(RootOfTrust root) throws StateException {
        return root.policies()
                .orElseThrow(() -> new StateException("Root of trust \"" + root.name()
                        + "\" cannot tell states of the host from each other, and needs no policy"));
    }

    /** The secret that the open journal is under. */
    private SealedSecret current() throws IOException {
        return find(store().journal().hostKeyId());
    }

    /** The secret that the journal is under, also while the storage is closed. */
    private SealedSecret stored() throws IOException {
        return storage.store() != null
                ? current()
                : find(Journal.hostKeyId(folder.disk(), folder.journal())
                        .orElseThrow(() -> new IOException("there is no journal in " + folder.journal())));
    }

    private SealedSecret find(byte[] id) throws IOException {
        return folder.readHostKey(folder.hostKey())
                .find(id)
                .orElseThrow(() -> new IOException("the journal is under another secret than those in "
                        + folder.hostKey() + "; put the folder back as it was"));
    }

    private Optional<SealedSecret> sealed() {
        try {
            return Optional.of(folder.readHostKey(folder.hostKey()).secrets().get(0));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private JournalStore store() throws StateException {
        @Nullable JournalStore store = storage.store();
        if (store == null) {
            throw new StateException("Storage " + folder.root() + " is closed; the log says why");
        }
        return store;
    }

    private StateException failure(Exception e) {
        if (e instanceof StateException state) {
            return state;
        }
        String message = e instanceof IOException io ? DiskErrors.describe(io) : e.getMessage();
        return new StateException("Storage " + folder.root() + ": " + message, e);
    }
}
