package org.vtpm.shell;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/**
 * A folder or single file in which swtpm keeps the state of a TPM 1.2. It is only read. While it is open no swtpm can start
 * there, if it is one that locks: two TPMs with the same keys and counters would be worth nothing.
 */
final class SwtpmFolder implements AutoCloseable {
    private static final String PERMANENT = "tpm-00.permall";
    private static final String SAVED = "tpm-00.savestate";
    private static final String VOLATILE = "tpm-00.volatilestate";
    private static final String OF_TPM_2 = "tpm2-00.permall";

    /** swtpm holds a POSIX lock on it while it runs; on a single file with all states, newer versions hold one. */
    private static final String LOCK = ".lock";

    private static final int LONGEST = 1 << 20;
    private static final int LONGEST_SECRET = 1 << 12;

    private final Path file;
    private final @Nullable FileChannel lock;

    private SwtpmFolder(Path file, @Nullable FileChannel lock) {
        this.file = file;
        this.lock = lock;
    }

    /**
     * Opens a folder.
     *
     * @param place the folder, the file with the permanent state in it, or a file of another name
     */
    static SwtpmFolder of(Path place) throws CommandException {
        Path file = Files.isDirectory(place) ? place.resolve(PERMANENT) : place;
        if (!Files.exists(file) && Files.exists(file.resolveSibling(OF_TPM_2))) {
            throw new CommandException(place + " has the state of a TPM 2.0; only that of a TPM 1.2 can be imported");
        }
        Path lock = file.endsWith(PERMANENT) ? file.resolveSibling(LOCK) : file;
        return new SwtpmFolder(file, Files.exists(lock) ? lock(lock) : null);
    }

    /** The file with the permanent state; the caller zeroes it. */
    byte[] permanent() throws CommandException {
        return lock == null || isInFolder()
                ? HostFile.read(file, LONGEST)
                // Closing another descriptor of the same file would end the lock.
                : HostFile.read(Channels.newInputStream(lock), file, LONGEST);
    }

    /** A file with a key or pass phrase; the caller zeroes it. */
    static byte[] secret(Path file) throws CommandException {
        return HostFile.read(file, LONGEST_SECRET);
    }

    /** What else is there and is not imported, one sentence each. */
    List<String> leftBehind() {
        List<String> notes = new ArrayList<>();
        if (!isInFolder()) {
            return notes;
        }
        for (String name : List.of(SAVED, VOLATILE)) {
            if (Files.exists(file.resolveSibling(name))) {
                notes.add(name + " is not imported: the TPM starts as after a loss of power.");
            }
        }
        return notes;
    }

    private boolean isInFolder() {
        return file.endsWith(PERMANENT);
    }

    @Override
    public void close() {
        if (lock != null) {
            try {
                lock.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static FileChannel lock(Path path) throws CommandException {
        FileLock held = null;
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            try {
                held = channel.tryLock(0, Long.MAX_VALUE, true);
                if (held != null) {
                    return channel;
                }
            } finally {
                if (held == null) {
                    channel.close();
                }
            }
        } catch (OverlappingFileLockException e) {
            throw new CommandException(path + " is locked: another vtpm:import reads this state", e);
        } catch (IOException e) {
            throw new CommandException(path + " cannot be locked: " + HostFile.reason(e), e);
        }
        throw new CommandException(path + " is locked: swtpm still runs with this state; stop it first");
    }
}
