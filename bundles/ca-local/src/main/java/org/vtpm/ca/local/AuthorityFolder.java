package org.vtpm.ca.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.bouncycastle.cert.X509CertificateHolder;

/**
 * The folder of an authority's key and certificate, as DER, mode 0700 with files of mode 0600, all this user's own. It is
 * there with both files in it or not at all. Links are refused.
 */
final class AuthorityFolder {
    static final String KEY = "key.der";
    static final String CERTIFICATE = "certificate.der";

    /** A longer file is refused: far above any key or certificate. */
    private static final int LIMIT = 1 << 16;

    private static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<Set<PosixFilePermission>> FOLDER_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    private static final Set<OpenOption> WRITE_NEW =
            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, LinkOption.NOFOLLOW_LINKS);

    // stat(2): the type of a file in st_mode, and the bits that open it to its group and to others.
    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int FOLDER = 0040000;
    private static final int OTHERS = 0077;

    private final Path folder;

    AuthorityFolder(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    Path path() {
        return folder;
    }

    boolean exists() {
        return Files.exists(folder, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * The authority in the folder.
     *
     * @throws IOException if there is none, others could have read or written it, or the certificate is not the key's
     */
    Authority read() throws IOException {
        check(folder, FOLDER);
        X509CertificateHolder certificate = new X509CertificateHolder(read(folder.resolve(CERTIFICATE)));
        Authority authority = new Authority(read(folder.resolve(KEY)), certificate);
        boolean consistent = false;
        try {
            consistent = authority.isConsistent();
        } finally {
            if (!consistent) {
                authority.close();
            }
        }
        if (!consistent) {
            throw new IOException(
                    KEY + " and " + CERTIFICATE + " do not belong together: the certificate is of another key");
        }
        return authority;
    }

    /** Makes the folder with an authority in it, durably. */
    void create(Authority authority) throws IOException {
        Path parent = folder.resolveSibling("");
        Files.createDirectories(parent, FOLDER_MODE);
        Path draft = folder.resolveSibling(folder.getFileName() + ".new");
        for (String left : new String[] {KEY, CERTIFICATE, ""}) {
            Files.deleteIfExists(draft.resolve(left));
        }
        Files.createDirectory(draft, FOLDER_MODE);
        write(draft.resolve(KEY), authority.key());
        write(draft.resolve(CERTIFICATE), authority.certificate().getEncoded());
        sync(draft);
        Files.move(draft, folder, StandardCopyOption.ATOMIC_MOVE);
        sync(parent);
    }

    private static byte[] read(Path file) throws IOException {
        check(file, REGULAR);
        try (FileChannel channel = FileChannel.open(file, READ)) {
            long size = channel.size();
            if (size == 0 || size > LIMIT) {
                throw new IOException(file + " has " + size + " bytes, which no key or certificate has");
            }
            ByteBuffer content = ByteBuffer.allocate((int) size);
            while (content.hasRemaining()) {
                if (channel.read(content) < 0) {
                    throw new IOException(file + " became shorter while it was read");
                }
            }
            return content.array();
        }
    }

    private static void write(Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, WRITE_NEW, FILE_MODE)) {
            ByteBuffer rest = ByteBuffer.wrap(content);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void check(Path path, int type) throws IOException {
        int mode = attribute(path, "unix:mode");
        int owner = attribute(path, "unix:uid");
        // The kernel gives /proc/self to the effective user of the process; Java has no call for it.
        int user = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        if ((mode & TYPE) != type) {
            throw new IOException(path + " is not a " + (type == FOLDER ? "folder" : "regular file")
                    + "; links and other kinds of files are refused");
        }
        if (owner != user) {
            throw new IOException(path + " belongs to user " + owner + ", but this process runs as user " + user);
        }
        if ((mode & OTHERS) != 0) {
            throw new IOException(String.format(
                    "%s has mode %04o, which opens it to other users: set it to %s",
                    path, mode & 07777, type == FOLDER ? "0700" : "0600"));
        }
    }

    private static int attribute(Path path, String name) throws IOException {
        return (Integer) Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
    }
}
