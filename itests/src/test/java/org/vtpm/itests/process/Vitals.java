package org.vtpm.itests.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a Java process holds.
 *
 * @param heap bytes of live objects, after a garbage collection
 * @param threads of the operating system, so with those of the JVM itself
 * @param descriptors open files, sockets and pipes
 */
public record Vitals(long heap, long threads, long descriptors) {
    private static final Pattern TOTAL = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");

    /** What a process holds now, after a garbage collection. */
    public static Vitals of(long pid) throws IOException, InterruptedException {
        Path process = Path.of("/proc", Long.toString(pid));
        return new Vitals(liveHeap(pid), count(process.resolve("task")), count(process.resolve("fd")));
    }

    private static long liveHeap(long pid) throws IOException, InterruptedException {
        // Without -all it counts what a full collection leaves.
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Programs.Result histogram = Programs.run(
                Path.of("/"),
                Map.of(),
                Duration.ofMinutes(1),
                "",
                List.of(jcmd, Long.toString(pid), "GC.class_histogram"));
        Matcher total = TOTAL.matcher(histogram.output());
        if (!total.find()) {
            throw new IOException("jcmd tells no total: " + histogram.output());
        }
        return Long.parseLong(total.group(1));
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.count();
        }
    }
}
