package org.vtpm.engine.tpm12;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/**
 * Counts how often the tests in this JVM saw each command succeed and fail, for the table of ordinals in {@code
 * docs/tpm12.md}: written when the JVM ends, a line for each ordinal with both counts.
 */
final class Exercised {
    private static final Path FILE = Path.of("target", "exercised", "engine.tsv");
    private static final int HEADER = 10;
    private static final int CODE = 6;

    private static final Map<Integer, Counts> COUNTS = new ConcurrentSkipListMap<>(Integer::compareUnsigned);

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Exercised::save, "exercised"));
    }

    private record Counts(LongAdder succeeded, LongAdder refused) {}

    private Exercised() {}

    static void count(byte[] command, byte[] response) {
        if (command.length >= HEADER) {
            Counts counts = COUNTS.computeIfAbsent(
                    ByteBuffer.wrap(command).getInt(CODE), ordinal -> new Counts(new LongAdder(), new LongAdder()));
            boolean succeeded = ByteBuffer.wrap(response).getInt(CODE) == 0;
            (succeeded ? counts.succeeded() : counts.refused()).increment();
        }
    }

    private static void save() {
        String text = COUNTS.entrySet().stream()
                .map(each -> "%08X\t%d\t%d\n"
                        .formatted(
                                each.getKey(),
                                each.getValue().succeeded().sum(),
                                each.getValue().refused().sum()))
                .collect(Collectors.joining());
        try {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
