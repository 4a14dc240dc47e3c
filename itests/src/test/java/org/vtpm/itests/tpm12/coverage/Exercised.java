package org.vtpm.itests.tpm12.coverage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How often our TPM carried out and refused each command in one suite. Thread-safe. As a file: a line for each ordinal,
 * in hexadecimal, with both counts, separated by tabs; the engine's own tests write the same.
 */
public final class Exercised {
    private static final int HEADER = 10;
    private static final int CODE = 6;
    private static final Path FOLDER = Path.of("target", "exercised");

    /** Counts of one ordinal. */
    record Count(long succeeded, long refused) {
        static final Count NONE = new Count(0, 0);

        Count plus(Count other) {
            return new Count(succeeded + other.succeeded, refused + other.refused);
        }
    }

    private final Map<Integer, Count> counts = new TreeMap<>(Integer::compareUnsigned);

    /** Counts one command; what is too short to be one, or to answer one, is not. */
    public void count(byte[] command, byte[] response) {
        if (command.length >= HEADER && response.length >= HEADER) {
            boolean succeeded = ByteBuffer.wrap(response).getInt(CODE) == 0;
            add(ByteBuffer.wrap(command).getInt(CODE), succeeded ? new Count(1, 0) : new Count(0, 1));
        }
    }

    /** Keeps the counts for the table. */
    public void save(String suite) throws IOException {
        Files.createDirectories(FOLDER);
        Files.writeString(file(suite), text());
    }

    static Path file(String suite) {
        return FOLDER.resolve(suite + ".tsv");
    }

    static Exercised load(Path file) throws IOException {
        Exercised loaded = new Exercised();
        for (String line : Files.readAllLines(file)) {
            String[] cells = line.split("\t", -1);
            loaded.add(
                    Integer.parseUnsignedInt(cells[0], 16),
                    new Count(Long.parseLong(cells[1]), Long.parseLong(cells[2])));
        }
        return loaded;
    }

    /** Whether our TPM carried a command out at least once. */
    public boolean carriedOut(int ordinal) {
        return of(ordinal).succeeded() > 0;
    }

    synchronized Count of(int ordinal) {
        return counts.getOrDefault(ordinal, Count.NONE);
    }

    private synchronized void add(int ordinal, Count count) {
        counts.merge(ordinal, count, Count::plus);
    }

    private synchronized String text() {
        return counts.entrySet().stream()
                .map(each -> "%08X\t%d\t%d\n"
                        .formatted(
                                each.getKey(),
                                each.getValue().succeeded(),
                                each.getValue().refused()))
                .collect(Collectors.joining());
    }
}
