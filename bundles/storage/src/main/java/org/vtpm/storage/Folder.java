package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Where things lie in a storage folder, and how they are put there: a file's new content and a new instance's folder are
 * made under another name, which they lose when all of it is durable.
 */
final class Folder {
    static final String NEW = ".new";
    static final String DELETED = ".deleted";

    private static final String LOCK = "lock";
    private static final String HOST_KEY = "host.key";
    private static final String INSTANCES = "instances";
    private static final String RECORD = "record";
    private static final String STATE = "state";

    private final Disk disk;
    private final Path root;

    Folder(Disk disk, Path root) {
        this.disk = disk;
        this.root = root;
    }

    Path root() {
        return root;
    }

    Path lock() {
        return root.resolve(LOCK);
    }

    Path hostKey() {
        return root.resolve(HOST_KEY);
    }

    Path instances() {
        return root.resolve(INSTANCES);
    }

    Path instance(UUID instance) {
        return instances().resolve(instance.toString());
    }

    Path record(UUID instance) {
        return instance(instance).resolve(RECORD);
    }

    Path state(UUID instance) {
        return instance(instance).resolve(STATE);
    }

    /** A folder beside the instances', with files that do not count: one that is being made, or being deleted. */
    Path aside(UUID instance, String suffix) {
        return instances().resolve(instance + suffix);
    }

    /** What is in the folder of the instances. */
    List<String> entries() throws IOException {
        return disk.list(instances());
    }

    /** The instance whose folder has this name. */
    static Optional<UUID> instanceOf(String name) {
        try {
            UUID instance = UUID.fromString(name);
            return instance.toString().equals(name) ? Optional.of(instance) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Whether a crash can leave a folder of this name among the instances'. */
    static boolean isLeftOver(String name) {
        return (name.endsWith(NEW) && instanceOf(without(name, NEW)).isPresent())
                || (name.endsWith(DELETED) && instanceOf(without(name, DELETED)).isPresent());
    }

    /** Paths that nobody here put into the storage folder. */
    List<Path> strangers() throws IOException {
        List<Path> strangers = new ArrayList<>();
        for (String name : disk.list(root)) {
            if (!Set.of(LOCK, HOST_KEY, HOST_KEY + NEW, INSTANCES).contains(name)) {
                strangers.add(root.resolve(name));
            }
        }
        for (String name : entries()) {
            if (instanceOf(name).isEmpty() && !isLeftOver(name)) {
                strangers.add(instances().resolve(name));
            }
        }
        return strangers;
    }

    /** Makes an instance's folder with both files, at once and durably. */
    void create(UUID instance, byte[] record, byte[] state) throws IOException {
        Path draft = aside(instance, NEW);
        clear(draft);
        try {
            disk.makeFolder(draft);
            disk.write(draft.resolve(RECORD), record);
            disk.write(draft.resolve(STATE), state);
            disk.syncFolder(draft);
            move(draft, instance(instance));
        } catch (IOException e) {
            undo(e, () -> clear(draft));
            throw e;
        }
    }

    /** Takes an instance's folder away, at once and durably. What is left of it is to be cleared. */
    Path drop(UUID instance) throws IOException {
        Path dropped = aside(instance, DELETED);
        clear(dropped);
        move(instance(instance), dropped);
        return dropped;
    }

    /**
     * Puts new content in the place of a file's, at once and durably.
     *
     * @param previous the content it has, to be put back if the new one cannot be made durable
     */
    void replace(Path file, byte[] content, byte[] previous) throws IOException {
        put(file, content);
        try {
            disk.syncFolder(parent(file));
        } catch (IOException e) {
            undo(e, () -> {
                put(file, previous);
                disk.syncFolder(parent(file));
            });
            throw e;
        }
    }

    /** Makes a file that is not there yet, at once and durably. */
    void add(Path file, byte[] content) throws IOException {
        put(file, content);
        disk.syncFolder(parent(file));
    }

    /** Removes a left-over folder with the files that storage puts there; anything else in it stays, and so does it. */
    void clear(Path leftOver) throws IOException {
        if (!disk.exists(leftOver)) {
            return;
        }
        for (String name : disk.list(leftOver)) {
            if (Set.of(RECORD, STATE, RECORD + NEW, STATE + NEW).contains(name)) {
                disk.remove(leftOver.resolve(name));
            }
        }
        disk.remove(leftOver);
    }

    private void put(Path file, byte[] content) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + NEW);
        if (disk.exists(draft)) {
            disk.remove(draft);
        }
        try {
            disk.write(draft, content);
            disk.rename(draft, file);
        } catch (IOException e) {
            undo(e, () -> {
                if (disk.exists(draft)) {
                    disk.remove(draft);
                }
            });
            throw e;
        }
    }

    /** Renames a folder durably, or not at all. */
    private void move(Path from, Path to) throws IOException {
        disk.rename(from, to);
        try {
            disk.syncFolder(instances());
        } catch (IOException e) {
            undo(e, () -> disk.rename(to, from));
            throw e;
        }
    }

    private static Path parent(Path file) {
        return file.resolveSibling("");
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    /** Goes back after an error; a second error goes with the first. */
    private static void undo(IOException cause, Step step) {
        try {
            step.run();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    private static String without(String name, String suffix) {
        return name.substring(0, name.length() - suffix.length());
    }
}
