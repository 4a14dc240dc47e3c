package org.vtpm.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.StateException;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.disk.Disk;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.journal.Item;
import org.vtpm.storage.journal.Journal;
import org.vtpm.storage.journal.JournalKey;
import org.vtpm.storage.journal.JournalSettings;
import org.vtpm.storage.key.HostKeyFile;
import org.vtpm.storage.key.HostSecret;
import org.vtpm.storage.key.KeyRing;
import org.vtpm.storage.key.SealedSecret;

/**
 * Opens a storage folder: keeps others out, has the host's secret released, opens the journal with it, and makes a folder what
 * it should be if nothing was ever stored there. If anything is wrong, nothing in the folder is changed.
 */
final class StorageOpener {
    private static final Logger LOG = LoggerFactory.getLogger(StorageOpener.class);

    private final StorageFolder folder;
    private final Supplier<List<RootOfTrust>> roots;
    private final Executor later;
    private final SecureRandom random = new SecureRandom();

    /**
     * Does nothing yet.
     *
     * @param roots the roots of trust that are there, best first
     * @param later runs what need not be done at once, in a moment
     */
    StorageOpener(Disk disk, Path root, Supplier<List<RootOfTrust>> roots, Executor later) {
        this.later = later;
        this.folder = new StorageFolder(disk, root);
        this.roots = roots;
    }

    /** How the host's secret is released. */
    @FunctionalInterface
    interface Release {
        HostSecret of(SealedSecret sealed) throws IOException;
    }

    StorageFolder folder() {
        return folder;
    }

    /** Opens the folder with the roots of trust that are there. */
    JournalStore open() throws StateException {
        return open(held -> held.release(roots.get()));
    }

    /** Opens the folder. */
    JournalStore open(Release release) throws StateException {
        try {
            folder.disk().makeFolders(folder.root());
            Closeable lock = folder.disk().lock(folder.lock());
            try {
                JournalStore store = store(release, lock);
                LOG.info("Storage {} is open: {} instances", folder.root(), store.size());
                return store;
            } catch (IOException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new StateException("Storage " + folder.root() + " cannot be opened: " + DiskErrors.describe(e), e);
        }
    }

    private JournalStore store(Release release, Closeable lock) throws IOException {
        Disk disk = folder.disk();
        if (folder.isOutdated()) {
            throw new IOException(
                    "it was made by a development version from before the journal, which nothing reads any"
                            + " more; give this version a folder of its own");
        }
        Optional<byte[]> id =
                disk.exists(folder.journal()) ? Journal.hostKeyId(disk, folder.journal()) : Optional.empty();
        if (disk.exists(folder.hostKey())) {
            if (id.isEmpty()) {
                throw new IOException(folder.journal() + " is missing or holds no journal, though " + folder.hostKey()
                        + " is there; put the folder back as it was");
            }
            return openStored(folder.hostKey(), id.get(), release, lock);
        }
        if (id.isEmpty()) {
            return makeNew(lock);
        }
        if (!disk.exists(folder.nextHostKey())) {
            throw new IOException(folder.hostKey() + " is missing, though there is a journal; put the file back, for"
                    + " nothing else opens it");
        }
        JournalStore store = openStored(folder.nextHostKey(), id.get(), release, lock);
        folder.useDraft();
        return store;
    }

    private JournalStore openStored(Path file, byte[] id, Release release, Closeable lock) throws IOException {
        for (Path stranger : folder.strangers()) {
            LOG.warn("{} is not the storage's: it is left alone", stranger);
        }
        HostKeyFile hostKeys = folder.readHostKey(file);
        SealedSecret sealed = hostKeys.find(id)
                .orElseThrow(() -> new IOException("the journal is under another secret than those in " + file
                        + "; put the folder back as it was"));
        try (HostSecret secret = release(sealed, file, release)) {
            JournalStore store = open(secret, lock);
            if (hostKeys.secrets().size() > 1) {
                LOG.info("Storage {}: a rotation of the host's secret was cut short, and is ended", folder.root());
                folder.replaceHostKey(HostKeyFile.only(sealed));
            }
            return store;
        }
    }

    private static HostSecret release(SealedSecret sealed, Path file, Release release) throws IOException {
        try {
            return release.of(sealed);
        } catch (IOException e) {
            throw new IOException(file + " does not open: " + e.getMessage(), e);
        }
    }

    private JournalStore open(HostSecret secret, Closeable lock) throws IOException {
        Journal journal =
                withKey(secret, key -> Journal.open(folder.disk(), folder.journal(), key, JournalSettings.DEFAULT));
        try {
            Item item = journal.find(ItemKind.KEY_RING.ofHost())
                    .orElseThrow(() -> new IOException("there is no key ring in " + folder.journal()));
            return serve(journal, KeyRing.open(journal.read(item), secret), lock);
        } catch (IOException e) {
            journal.close();
            throw e;
        }
    }

    private JournalStore makeNew(Closeable lock) throws IOException {
        RootOfTrust root = roots.get().stream()
                .findFirst()
                .orElseThrow(() ->
                        new IOException("there is no root of trust to seal the host's secret; start a root-* bundle"));
        try (HostSecret secret = HostSecret.random(random)) {
            folder.draftHostKey(HostKeyFile.only(SealedSecret.of(secret).sealed(root, secret, SealingTerms.NONE)));
            KeyRing ring = KeyRing.random(random);
            Change first = new Change.Put(ItemKind.KEY_RING.ofHost(), 1, ring.seal(secret, random));
            Journal journal = withKey(
                    secret,
                    key -> Journal.create(
                            folder.disk(), folder.journal(), key, List.of(first), JournalSettings.DEFAULT));
            folder.useDraft();
            LOG.info("Storage {} is new; root of trust {} sealed its secret", folder.root(), root.name());
            return serve(journal, ring, lock);
        }
    }

    private JournalStore serve(Journal journal, KeyRing ring, Closeable lock) throws IOException {
        JournalStore store = new JournalStore(folder.root(), journal, ring, new Anchoring(journal, roots), later, lock);
        store.guard().check();
        return store;
    }

    @FunctionalInterface
    private interface Keyed {
        Journal open(JournalKey key) throws IOException;
    }

    private static Journal withKey(HostSecret secret, Keyed keyed) throws IOException {
        byte[] chainKey = secret.chainKey();
        try {
            return keyed.open(new JournalKey(secret.id(), chainKey));
        } finally {
            Secrets.zero(chainKey);
        }
    }
}
