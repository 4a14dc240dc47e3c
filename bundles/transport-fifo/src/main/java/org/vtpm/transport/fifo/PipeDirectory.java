package org.vtpm.transport.fifo;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;

/**
 * Where all pipes lie: a directory that nobody else can enter. What somebody else prepared under its name is refused, since
 * they could put their own pipes under ours.
 */
final class PipeDirectory {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OTHERS = EnumSet.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.GROUP_EXECUTE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE,
            PosixFilePermission.OTHERS_EXECUTE);

    private final Path directory;
    private final Posix posix;
    private final SecureRandom random = new SecureRandom();

    /** Names the directory; it is made when it is needed. */
    PipeDirectory(Path directory, Posix posix) {
        this.directory = directory.toAbsolutePath().normalize();
        this.posix = posix;
    }

    Path path() {
        return directory;
    }

    /** Makes a pair of pipes for one engine. */
    PipePair create(UUID instance) throws IOException {
        ensure();
        PipePair pair = PipePair.of(directory, instance, random);
        posix.makeFifo(pair.commands());
        try {
            posix.makeFifo(pair.responses());
        } catch (IOException e) {
            pair.delete();
            throw e;
        }
        return pair;
    }

    /**
     * Removes pipes that an earlier run left behind. Those that a process has open are still somebody's way to its
     * manager: this bundle may have been restarted under it.
     *
     * @return how many were removed
     */
    int removeStale() throws IOException {
        ensure();
        int removed = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, PipePair::isNameOfPipe)) {
            for (Path file : files) {
                if (isFifo(file) && !posix.hasReader(file)) {
                    Files.deleteIfExists(file);
                    removed++;
                }
            }
        }
        return removed;
    }

    private static boolean isFifo(Path file) throws IOException {
        // Neither file, directory nor link; sockets and devices are not named as pipes are.
        return Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .isOther();
    }

    private void ensure() throws IOException {
        if (Files.notExists(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        }
        PosixFileAttributes found =
                Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!found.isDirectory()) {
            throw refused("is not a directory but a link or a file; remove it");
        }
        Object owner = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        if (!owner.equals(posix.effectiveUser())) {
            throw refused("belongs to " + found.owner().getName() + ", who could replace its pipes; remove it");
        }
        Set<PosixFilePermission> open = EnumSet.copyOf(OTHERS);
        open.retainAll(found.permissions());
        if (!open.isEmpty()) {
            throw refused("is open to others; chmod 700 it");
        }
    }

    private IOException refused(String why) {
        return new IOException("the directory for pipes " + directory + " " + why
                + ", or set 'directory' of org.vtpm.transport.fifo to another one");
    }
}
