package org.vtpm.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.StateException;
import org.vtpm.crypto.Secrets;

/** Opens a storage folder: checks it, keeps others out, has the host key released, and clears up after a crash. */
final class StorageOpener {
    private static final Logger LOG = LoggerFactory.getLogger(StorageOpener.class);

    private StorageOpener() {}

    /**
     * Opens a folder, and makes it what it should be if nothing was ever stored there.
     *
     * @param roots the roots of trust that are there, best first
     * @throws StateException if it cannot be opened; then nothing in it was changed
     */
    static FolderStore open(Disk disk, Path root, List<RootOfTrust> roots) throws StateException {
        Folder folder = new Folder(disk, root);
        try {
            disk.makeFolders(root);
            Closeable lock = disk.lock(folder.lock());
            try {
                HostKey hostKey = hostKey(disk, folder, roots);
                reportStrangers(folder);
                clearLeftOvers(folder);
                List<UUID> instances = folder.entries().stream()
                        .map(Folder::instanceOf)
                        .flatMap(Optional::stream)
                        .toList();
                LOG.info("Storage {} is open: {} instances", root, instances.size());
                return new FolderStore(disk, folder, hostKey, lock, instances);
            } catch (IOException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new StateException("Storage " + root + " cannot be opened: " + FolderStore.describe(e), e);
        }
    }

    private static HostKey hostKey(Disk disk, Folder folder, List<RootOfTrust> roots) throws IOException {
        Path file = folder.hostKey();
        boolean used = disk.exists(folder.instances());
        if (disk.exists(file)) {
            if (!used) {
                throw new IOException(folder.instances() + " is missing, though " + file
                        + " is there; put the folder back as it was");
            }
            byte[] content = disk.read(file, HostKeyFile.LIMIT);
            try {
                return HostKeyFile.decode(content).open(roots);
            } catch (IOException e) {
                throw new IOException(file + " cannot be used: " + e.getMessage(), e);
            }
        }
        if (used
                && folder.entries().stream()
                        .anyMatch(name -> Folder.instanceOf(name).isPresent())) {
            throw new IOException(file + " is missing, though there are instances; put the file back, for"
                    + " nothing else opens them");
        }
        if (!used) {
            disk.makeFolders(folder.instances());
        }
        return newHostKey(folder, roots);
    }

    private static HostKey newHostKey(Folder folder, List<RootOfTrust> roots) throws IOException {
        if (roots.isEmpty()) {
            throw new IOException("there is no root of trust to seal the host key; start a root-* bundle");
        }
        RootOfTrust root = roots.get(0);
        byte[] secret = new byte[HostKey.SECRET_LENGTH];
        new SecureRandom().nextBytes(secret);
        try {
            folder.add(folder.hostKey(), HostKeyFile.seal(secret, root).encode());
            LOG.info("Storage {} has a new host key, sealed by the root of trust {}", folder.root(), root.name());
            return new HostKey(secret);
        } finally {
            Secrets.zero(secret);
        }
    }

    private static void reportStrangers(Folder folder) throws IOException {
        for (Path stranger : folder.strangers()) {
            LOG.warn("{} is not the storage's: it is left alone", stranger);
        }
    }

    private static void clearLeftOvers(Folder folder) throws IOException {
        for (String name : folder.entries()) {
            if (Folder.isLeftOver(name)) {
                clear(folder, folder.instances().resolve(name));
            }
        }
    }

    /** Removes what a crash or a deletion left; it does not count any more, so that failing is not worse than a warning. */
    static void clear(Folder folder, Path leftOver) {
        try {
            folder.clear(leftOver);
        } catch (IOException e) {
            LOG.warn("{} is of no use any more, but cannot be removed: {}", leftOver, FolderStore.describe(e));
        }
    }
}
