package org.vtpm.shell;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import org.apache.karaf.shell.support.CommandException;

/** Files on the manager's host that an operator named. */
final class HostFile {
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private HostFile() {}

    /** The file that an operator named; a relative name is one below the manager's folder. */
    static Path named(String word) throws CommandException {
        try {
            return Path.of(word).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw new CommandException("'" + word + "' cannot be the name of a file: " + e.getReason(), e);
        }
    }

    /**
     * Reads a file.
     *
     * @param longest how many bytes it may have
     * @return its content; if it is secret, the caller zeroes it
     */
    static byte[] read(Path file, int longest) throws CommandException {
        try (InputStream in = Files.newInputStream(file)) {
            return read(in, file, longest);
        } catch (IOException e) {
            throw new CommandException(file + " cannot be read: " + reason(e), e);
        }
    }

    /** Reads what is left of a file that is open; otherwise as the other method of this name. */
    static byte[] read(InputStream in, Path file, int longest) throws CommandException {
        try {
            byte[] content = in.readNBytes(longest + 1);
            if (content.length > longest) {
                throw new CommandException(
                        file + " is longer than " + longest + " bytes, so it is not what it should be");
            }
            return content;
        } catch (IOException e) {
            throw new CommandException(file + " cannot be read: " + reason(e), e);
        }
    }

    /**
     * Writes a file of mode 0600 that must not be there yet. It is there as a whole and durable, or not at all: it is written
     * beside, and then linked, which never replaces a file.
     */
    static void writeNew(Path file, byte[] content) throws CommandException {
        Path folder = Objects.requireNonNullElse(file.getParent(), file);
        try {
            Path draft = Files.createTempFile(folder, ".", ".new", OWNER_ONLY);
            try {
                try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
                    ByteBuffer rest = ByteBuffer.wrap(content);
                    while (rest.hasRemaining()) {
                        channel.write(rest);
                    }
                    channel.force(true);
                }
                Files.createLink(file, draft);
            } finally {
                Files.delete(draft);
            }
            try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
                names.force(true);
            }
        } catch (FileAlreadyExistsException e) {
            throw new CommandException(taken(file), e);
        } catch (IOException e) {
            throw new CommandException(file + " cannot be written: " + reason(e), e);
        }
    }

    /** That there is a file already where a new one is to be written. */
    static String taken(Path file) {
        return file + " cannot be written: there is such a file already, and it is not overwritten; name another one";
    }

    /** Why a file cannot be used, for people. */
    static String reason(IOException problem) {
        if (problem instanceof NoSuchFileException) {
            return "there is no such file or folder";
        }
        if (problem instanceof AccessDeniedException) {
            return "the manager's user may not";
        }
        return String.valueOf(problem.getMessage());
    }
}
