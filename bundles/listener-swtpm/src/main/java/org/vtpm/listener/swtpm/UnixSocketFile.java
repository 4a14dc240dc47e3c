package org.vtpm.listener.swtpm;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a listening UNIX socket. It is bound inside a private directory, given mode 0600 and only then linked to
 * its name, so that it is never reachable with other permissions; link(2) also never replaces what is there.
 */
final class UnixSocketFile {
    private static final Logger LOG = LoggerFactory.getLogger(UnixSocketFile.class);

    private static final int BACKLOG = 128;
    private static final int NURSERY_ATTEMPTS = 100;
    private static final int NURSERY_NAMES = 36 * 36 * 36 * 36;
    private static final Set<PosixFilePermission> OWNER_ONLY_FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OWNER_ONLY_FILE = PosixFilePermissions.fromString("rw-------");
    private static final int S_IFMT = 0170000;
    private static final int S_IFSOCK = 0140000;

    private final Path path;
    private final @Nullable Object identity;

    private UnixSocketFile(Path path, @Nullable Object identity) {
        this.path = path;
        this.identity = identity;
    }

    /**
     * Binds {@code server} to {@code path}. A socket that this user left behind and nobody listens on is replaced.
     *
     * @throws IOException if the folder is missing or closed to us, or something else has that name
     */
    static UnixSocketFile bind(ServerSocketChannel server, Path path) throws IOException {
        Path folder = Objects.requireNonNull(path.getParent(), "an absolute path of a file has a parent");
        if (!Files.isDirectory(folder)) {
            throw new IOException("there is no folder " + folder + "; create it first");
        }
        Path nursery = createNursery(folder);
        Path newborn = nursery.resolve("s");
        try {
            server.bind(UnixDomainSocketAddress.of(newborn), BACKLOG);
            Files.setPosixFilePermissions(newborn, OWNER_ONLY_FILE);
            removeStale(path, Files.getAttribute(newborn, "unix:uid"));
            Files.createLink(path, newborn);
            return new UnixSocketFile(path, identity(path));
        } catch (FileAlreadyExistsException e) {
            throw new IOException(path + " was just created by someone else", e);
        } finally {
            Files.deleteIfExists(newborn);
            Files.delete(nursery);
        }
    }

    /** Removes the file, unless something else has taken its name. */
    void remove() {
        try {
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && Objects.equals(identity, identity(path))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            LOG.warn("Cannot remove the socket {}: {}. Remove it by hand", path, e.toString());
        }
    }

    /** Its name is short, because the path of the socket in it must fit in a socket address too. */
    private static Path createNursery(Path folder) throws IOException {
        Random random = new Random();
        for (int attempt = 0; attempt < NURSERY_ATTEMPTS; attempt++) {
            Path nursery = folder.resolve("." + Integer.toString(random.nextInt(NURSERY_NAMES), Character.MAX_RADIX));
            try {
                return Files.createDirectory(nursery, PosixFilePermissions.asFileAttribute(OWNER_ONLY_FOLDER));
            } catch (FileAlreadyExistsException e) {
                LOG.debug("{} is taken", nursery);
            } catch (AccessDeniedException e) {
                throw new IOException(
                        "no permission to create a socket in " + folder + "; give the manager's user access to it", e);
            }
        }
        throw new IOException("cannot create a private folder in " + folder + "; remove old ones named .XXXX");
    }

    private static void removeStale(Path path, Object ourUid) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & S_IFMT) != S_IFSOCK) {
            throw new IOException(path + " exists and is not a socket; choose another path, or move it away");
        }
        if (!ourUid.equals(Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS))) {
            throw new IOException(path + " is another user's socket; choose another path");
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (ConnectException e) {
            Files.delete(path);
            return;
        }
        throw new IOException(path + " is in use: a program listens on it");
    }

    private static @Nullable Object identity(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }
}
