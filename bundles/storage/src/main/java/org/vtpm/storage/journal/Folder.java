package org.vtpm.storage.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.storage.disk.Disk;

/** Where a journal's files lie: named by their numbers, and a draft of the next one that does not count. */
final class Folder {
    private static final Logger LOG = LoggerFactory.getLogger(Folder.class);
    private static final String DRAFT = ".new";
    private static final int DIGITS = 16;

    private final Disk disk;
    private final Path path;

    Folder(Disk disk, Path path) {
        this.disk = disk;
        this.path = path;
    }

    Path path() {
        return path;
    }

    Path file(long number) {
        return path.resolve(String.format("%0" + DIGITS + "d", number));
    }

    Path draft(long number) {
        return path.resolve(file(number).getFileName() + DRAFT);
    }

    /** The numbers of the files that are there, the current one's last. */
    List<Long> numbers() throws IOException {
        List<Long> numbers = new ArrayList<>();
        if (disk.exists(path)) {
            for (String name : disk.list(path)) {
                if (name.matches("[0-9]{" + DIGITS + "}")) {
                    numbers.add(Long.parseLong(name));
                }
            }
        }
        Collections.sort(numbers);
        return numbers;
    }

    /** Removes drafts, and files older than the one before the current one. None of them counts, so it may fail. */
    void clear() {
        try {
            List<Long> numbers = numbers();
            for (long old : numbers.subList(0, Math.max(0, numbers.size() - 2))) {
                disk.remove(file(old));
            }
            for (String name : disk.list(path)) {
                if (name.matches("[0-9]{" + DIGITS + "}" + DRAFT)) {
                    disk.remove(path.resolve(name));
                }
            }
        } catch (IOException e) {
            LOG.warn("What is of no use any more in {} cannot be removed: {}", path, e.getMessage());
        }
    }

    /** Removes a draft, which may be missing. */
    void removeDraft(long number) throws IOException {
        if (disk.exists(draft(number))) {
            disk.remove(draft(number));
        }
    }
}
