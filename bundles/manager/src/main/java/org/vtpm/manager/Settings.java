package org.vtpm.manager;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.instance.Isolation;

/**
 * The manager's configuration in its own terms.
 *
 * @param commandTimeout how long an engine may take over one command
 * @param queueLimit commands that may wait for one instance
 * @param isolation where engines run unless the order says otherwise
 * @param transport name of the preferred transport, or null to go by ranking
 * @param processCommand what launches {@code vtpmd}, without its arguments
 * @param processStart how long {@code vtpmd} may take to ask for its state
 * @param processStop how long it may take to end by itself
 * @param processLog where its output goes, or null to drop it
 */
record Settings(
        Duration commandTimeout,
        int queueLimit,
        Isolation isolation,
        @Nullable String transport,
        List<String> processCommand,
        Duration processStart,
        Duration processStop,
        @Nullable Path processLog) {

    Settings {
        processCommand = List.copyOf(processCommand);
    }

    static Settings of(ManagerConfig config) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String option : config.process_java_options().split("\\s+", -1)) {
            if (!option.isEmpty()) {
                command.add(option);
            }
        }
        command.add("-cp");
        command.add(
                config.process_classpath().isEmpty()
                        ? Path.of(System.getProperty("karaf.home", "."), "vtpmd", "*")
                                .toString()
                        : config.process_classpath());
        command.add("org.vtpm.vtpmd.Main");
        String log = System.getProperty("karaf.log");
        return new Settings(
                Duration.ofMillis(Math.max(1, config.command_timeout_ms())),
                Math.max(1, config.queue_limit()),
                isolation(config.isolation()),
                config.transport().isBlank() ? null : config.transport().strip(),
                command,
                Duration.ofSeconds(Math.max(1, config.process_start_seconds())),
                Duration.ofSeconds(Math.max(1, config.process_stop_seconds())),
                log == null ? null : Path.of(log, "vtpmd.log"));
    }

    private static Isolation isolation(String text) {
        return switch (text.strip()) {
            case "shared" -> Isolation.SHARED;
            case "process" -> Isolation.PROCESS;
            default ->
                throw new IllegalArgumentException(
                        "org.vtpm.manager: isolation is '" + text + "'; set it to 'shared' or 'process'");
        };
    }
}
