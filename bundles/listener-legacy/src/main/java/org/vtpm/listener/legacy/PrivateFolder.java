package org.vtpm.listener.legacy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A folder of FIFOs or sockets: mode 0700, what is in it 0600, all of it our own. FIFOs stay when the listener goes, as the
 * original's did: a backend that holds them open finds the next listener, and a script waits for it.
 */
final class PrivateFolder {
    private static final Set<PosixFilePermission> FOLDER_MODE = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> FILE_MODE = PosixFilePermissions.fromString("rw-------");
    private static final int S_IFMT = 0170000;
    private static final int S_IFIFO = 0010000;
    private static final int S_IFSOCK = 0140000;

    private final Posix posix;
    private final Path folder;

    private PrivateFolder(Posix posix, Path folder) {
        this.posix = posix;
        this.folder = folder;
    }

    /**
     * The folder that is configured.
     *
     * @param configured an absolute path; blank for the default
     * @param karafData Karaf's folder of data
     * @param name of the folder by default, in {@code vtpm} there
     * @throws IOException if the path is not absolute, or Karaf's folder is not known
     */
    static Path locate(String configured, @Nullable String karafData, String name) throws IOException {
        if (!configured.isBlank()) {
            return absolute(configured.strip());
        }
        if (karafData == null) {
            throw new IOException("no folder is configured and Karaf's data folder is unknown");
        }
        return Path.of(karafData, "vtpm", name).toAbsolutePath();
    }

    /** A path that is configured. */
    static Path absolute(String configured) throws IOException {
        Path path = Path.of(configured);
        if (!path.isAbsolute()) {
            throw new IOException("'" + path + "' is not an absolute path");
        }
        return path;
    }

    /**
     * Makes the folder if it is missing.
     *
     * @throws IOException if it cannot be made, or something else is there
     */
    static PrivateFolder prepare(Posix posix, Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(FOLDER_MODE));
        } else if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(folder + " is not a folder (symbolic links are refused)");
        }
        PrivateFolder result = new PrivateFolder(posix, folder);
        result.requireOurs(folder);
        Files.setPosixFilePermissions(folder, FOLDER_MODE);
        return result;
    }

    /**
     * Opens a FIFO in the folder, which is made if it is missing.
     *
     * @throws IOException if it cannot be made, or something else has its name
     */
    int openFifo(String name) throws IOException {
        Path path = folder.resolve(name);
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            posix.makeFifo(path);
        }
        requireKind(path, S_IFIFO, "a FIFO");
        requireOurs(path);
        Files.setPosixFilePermissions(path, FILE_MODE);
        return posix.openFifo(path);
    }

    /**
     * Binds a UNIX socket in the folder. One that is left over from before and that nobody listens on is replaced.
     *
     * @throws IOException if it cannot be bound, or something else has its name
     */
    ServerSocketChannel bindSocket(String name) throws IOException {
        Path path = folder.resolve(name);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            requireKind(path, S_IFSOCK, "a socket");
            requireOurs(path);
            if (isListenedOn(path)) {
                throw new IOException(path + " is in use: another program listens on it; end that");
            }
            Files.delete(path);
        }
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            // Nobody else can enter the folder, so it does not matter that the mode is set only now.
            server.bind(UnixDomainSocketAddress.of(path));
            Files.setPosixFilePermissions(path, FILE_MODE);
            server.configureBlocking(false);
            return server;
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }

    /** Removes what has this name, if anything has. */
    void remove(String name) throws IOException {
        Files.deleteIfExists(folder.resolve(name));
    }

    private static boolean isListenedOn(Path path) {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return probe.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            return false;
        }
    }

    private static void requireKind(Path path, int kind, String what) throws IOException {
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & S_IFMT) != kind) {
            throw new IOException(path + " exists and is not " + what + "; move it away");
        }
    }

    private void requireOurs(Path path) throws IOException {
        int owner = (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        if (owner != posix.user()) {
            throw new IOException(path + " belongs to user " + owner + " and not to the manager's user " + posix.user()
                    + "; remove it or give it to the manager");
        }
    }
}
