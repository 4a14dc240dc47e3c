package org.vtpm.manager;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.endorsement.EndorsementAuthority;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.storage.StateStore;
import org.vtpm.api.transport.EngineTransport;
import org.vtpm.api.transport.ProcessTransport;

/** What the manager works with: its storage, and the services that come and go. */
final class Services {
    private final StateStore store;
    private final Supplier<Settings> settings;
    private final Ranked<EngineFactory> engines = new Ranked<>();
    private final Ranked<EngineTransport> transports = new Ranked<>();
    private final Ranked<ProcessTransport> processTransports = new Ranked<>();
    private final Ranked<EndpointHandler> handlers = new Ranked<>();
    private final Ranked<EndorsementAuthority> authorities = new Ranked<>();

    Services(StateStore store, Supplier<Settings> settings) {
        this.store = store;
        this.settings = settings;
    }

    StateStore store() {
        return store;
    }

    Settings settings() {
        return settings.get();
    }

    Ranked<EngineFactory> engines() {
        return engines;
    }

    Ranked<EngineTransport> transports() {
        return transports;
    }

    Ranked<ProcessTransport> processTransports() {
        return processTransports;
    }

    Ranked<EndpointHandler> handlers() {
        return handlers;
    }

    Ranked<EndorsementAuthority> authorities() {
        return authorities;
    }

    Optional<EngineFactory> engine(TpmFamily family) {
        return engines.first(e -> e.family() == family);
    }

    /** All engines for a family, best first. */
    List<EngineFactory> engines(TpmFamily family) {
        return engines.all().stream().filter(e -> e.family() == family).toList();
    }

    /** The transport that should carry an instance's commands: the operator's choice, else the host's, else the best. */
    Optional<EngineTransport> transportFor(@Nullable String chosen) {
        return transports
                .first(t -> t.name().equals(chosen))
                .or(() -> transports.first(t -> t.name().equals(settings().transport())))
                .or(() -> transports.first(t -> true));
    }

    Optional<ProcessTransport> processTransport(@Nullable String name) {
        return processTransports
                .first(t -> t.name().equals(name))
                .or(() ->
                        processTransports.first(t -> t.name().equals(settings().transport())))
                .or(() -> processTransports.first(t -> true));
    }

    /** Whether there is an engine for an instance, and a transport to reach it. */
    boolean canRun(InstanceRecord record) {
        return engine(record.family()).isPresent()
                && (record.isolation() == Isolation.PROCESS
                        ? processTransport(record.transport()).isPresent()
                        : transportFor(record.transport()).isPresent());
    }

    Optional<EndpointHandler> handler(@Nullable String scheme) {
        String wanted = scheme == null ? "" : scheme.toLowerCase(Locale.ROOT);
        return handlers.first(h -> h.schemes().contains(wanted));
    }

    List<String> schemes() {
        return handlers.all().stream()
                .flatMap(h -> h.schemes().stream())
                .distinct()
                .sorted()
                .toList();
    }

    /**
     * Whether there is a transport.
     *
     * @param name or null for the host's default
     * @param process whether it has to carry engines that are processes
     */
    boolean hasTransport(@Nullable String name, boolean process) {
        return name == null
                || (process
                        ? processTransports.first(t -> t.name().equals(name)).isPresent()
                        : transports.first(t -> t.name().equals(name)).isPresent());
    }

    /** Names of all transports, for messages. */
    String transportNames() {
        return Stream.concat(
                        transports.all().stream().map(EngineTransport::name),
                        processTransports.all().stream().map(ProcessTransport::name))
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }
}
