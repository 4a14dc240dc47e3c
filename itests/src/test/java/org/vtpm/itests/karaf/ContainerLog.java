package org.vtpm.itests.karaf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The log of the container that a test runs in. */
final class ContainerLog {
    private ContainerLog() {}

    /** What should not be there: errors, and lines of stack traces. */
    static List<String> faults() throws IOException {
        return lines(line -> line.contains(" ERROR ") || line.startsWith("\tat "));
    }

    /** The lines that contain a text. */
    static List<String> lines(String text) throws IOException {
        return lines(line -> line.contains(text));
    }

    private static List<String> lines(Predicate<String> wanted) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of(System.getProperty("karaf.log"), "karaf.log"))) {
            return lines.filter(wanted).toList();
        }
    }
}
