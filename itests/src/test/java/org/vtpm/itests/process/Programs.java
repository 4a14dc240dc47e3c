package org.vtpm.itests.process;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs other programs: without a terminal, with an end to every one of them. */
public final class Programs {
    private static final Duration GRACE = Duration.ofSeconds(10);

    /** What a program that ended left behind; a byte is a character, since not every program prints text only. */
    public record Result(int exit, String output) {}

    private Programs() {}

    /** Starts a program that goes on; what it prints is appended to the log. It ends with this JVM at the latest. */
    public static Process start(Path folder, Path log, List<String> command) throws IOException {
        return start(folder, log, command, Map.of());
    }

    static Process start(Path folder, Path log, List<String> command, Map<String, String> environment)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        prepare(builder, environment);
        Process process = builder.start();
        Thread end = new Thread(() -> killTree(process.toHandle()));
        Runtime.getRuntime().addShutdownHook(end);
        process.onExit().thenRun(() -> forget(end));
        return process;
    }

    /**
     * Runs a program to its end.
     *
     * @param input what it reads on standard input
     */
    public static Result run(
            Path folder, Map<String, String> environment, Duration timeout, String input, List<String> command)
            throws IOException, InterruptedException {
        Path in = Files.createTempFile("input", ".txt");
        Path out = Files.createTempFile("output", ".txt");
        try {
            Files.writeString(in, input);
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectInput(in.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile());
            prepare(builder, environment);
            Process process = builder.start();
            try {
                if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new AssertionError("still running after " + timeout.toSeconds() + " s: " + command + "\n"
                            + Files.readString(out, StandardCharsets.ISO_8859_1));
                }
                return new Result(process.exitValue(), Files.readString(out, StandardCharsets.ISO_8859_1));
            } finally {
                killTree(process.toHandle());
            }
        } finally {
            Files.delete(in);
            Files.delete(out);
        }
    }

    /** Asks a program to end, and ends it if it does not. */
    public static void end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                kill(process);
            }
        } catch (InterruptedException e) {
            killTree(process.toHandle());
            Thread.currentThread().interrupt();
        }
    }

    /** SIGKILL, to the program and all it started; returns when none of them is left. */
    static void kill(Process process) throws InterruptedException {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(each -> each.onExit().join());
        process.waitFor();
    }

    private static void prepare(ProcessBuilder builder, Map<String, String> environment) {
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().merge("PATH", "/usr/sbin:/sbin", (old, more) -> old + ":" + more);
        builder.environment().putAll(environment);
    }

    private static void killTree(ProcessHandle process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending: the hook runs, or has run, on a process that is gone.
        }
    }
}
