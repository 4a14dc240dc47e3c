package org.vtpm.storage.journal;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.vtpm.storage.disk.AppendFile;
import org.vtpm.storage.disk.Disk;

/**
 * Checks a journal without its key: every check sum, the order of blocks and versions, and that each anchor tells of the items
 * that are there. Damage is found that way, but not what somebody changed who mended the check sums; opening the journal
 * finds that too. Changes nothing, and may be used while the journal is.
 */
public final class JournalVerifier {
    private JournalVerifier() {}

    /**
     * Reads all files of the journal in a folder.
     *
     * @throws IOException if there is no journal, or a file cannot be read
     */
    public static JournalReport verify(Disk disk, Path folder) throws IOException {
        Folder files = new Folder(disk, folder);
        List<JournalReport.FileReport> reports = new ArrayList<>();
        List<Finding> findings = new ArrayList<>();
        for (long number : files.numbers()) {
            try {
                Scan scan = scan(disk, files.file(number), number, findings);
                long live = scan.index().bytes();
                reports.add(new JournalReport.FileReport(
                        files.file(number),
                        scan.sequence(),
                        scan.index().owners(),
                        scan.index().items(),
                        live,
                        Math.max(0, scan.position() - live)));
            } catch (NoSuchFileException e) {
                // It was the oldest, and has been removed by a compaction since.
            }
        }
        if (reports.isEmpty()) {
            throw new IOException("there is no journal in " + folder);
        }
        return new JournalReport(List.copyOf(reports), List.copyOf(findings));
    }

    /** Reads a file; twice if anything is wrong, since what is appended meanwhile looks damaged, but not there again. */
    private static Scan scan(Disk disk, Path path, long number, List<Finding> findings) throws IOException {
        try (AppendFile file = disk.open(path, false)) {
            Scan first = Scan.of(new Window(file), number, null);
            if (first.findings().isEmpty()) {
                return first;
            }
            Scan second = Scan.of(new Window(file), number, null);
            second.findings().stream().filter(first.findings()::contains).forEach(findings::add);
            return second;
        }
    }
}
