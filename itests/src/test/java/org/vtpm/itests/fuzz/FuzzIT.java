package org.vtpm.itests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vtpm.itests.process.Programs;

/**
 * Lets Jazzer look for input that the engine does not stand, each target in a JVM of its own with little memory, starting
 * from the corpus in {@code itests/fuzz}. The system property {@code vtpm.fuzz.seconds} says for how long in all. What a
 * run finds stays in {@code target/fuzz}: a {@code crash-} file is the input, to be added to the corpus once mended.
 */
class FuzzIT {
    private static final int SECONDS = Integer.getInteger("vtpm.fuzz.seconds", 60);
    private static final Duration START = Duration.ofMinutes(5);
    private static final Path SEEDS = Path.of("fuzz");
    private static final Path FOUND = Path.of("target", "fuzz");

    static Stream<Class<?>> targets() {
        return Stream.of(CommandStream.class, Blobs.class, StoredState.class, SwtpmState.class);
    }

    @ParameterizedTest
    @MethodSource("targets")
    void nothingEscapes(Class<?> target) throws IOException, InterruptedException {
        long seconds = Math.max(1, SECONDS / targets().count());
        String name = target.getSimpleName();
        Path seeds = SEEDS.resolve(name).toAbsolutePath();
        Path found = Files.createDirectories(FOUND.resolve(name)).toAbsolutePath();
        Path corpus = Files.createDirectories(found.resolve("corpus"));
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-cp",
                System.getProperty("java.class.path"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + target.getName(),
                "--instrumentation_includes=org.vtpm.engine.**:org.vtpm.codec.**:org.vtpm.crypto.**",
                "--disabled_hooks=.*",
                "--reproducer_path=" + found,
                "-artifact_prefix=" + found + "/",
                "-max_total_time=" + seconds,
                "-timeout=300",
                "-rss_limit_mb=2048",
                "-max_len=16384",
                corpus.toString()));
        if (Files.isDirectory(seeds)) {
            line.add(seeds.toString());
        }
        Programs.Result run = Programs.run(found, Map.of(), START.plusSeconds(seconds), "", line);
        Files.writeString(found.resolve("run.log"), run.output());
        assertThat(run.exit())
                .as("%s; the whole output is in %s\n%s", target.getName(), found, tail(run.output()))
                .isZero();
        assertThat(run.output()).contains("Done ");
    }

    private static String tail(String output) {
        return output.substring(Math.max(0, output.length() - 4000));
    }
}
