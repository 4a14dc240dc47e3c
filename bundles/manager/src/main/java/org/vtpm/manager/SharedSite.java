package org.vtpm.manager;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateSink;

/** An engine in this JVM. */
final class SharedSite implements EngineSite {
    private final UUID instance;
    private final Engine engine;
    private final StateSink sink;
    private final Services services;
    private final Supplier<@Nullable String> chosen;

    /**
     * Takes an open engine over.
     *
     * @param chosen the name of the transport that the instance's operator chose, if any
     */
    SharedSite(UUID instance, Engine engine, StateSink sink, Services services, Supplier<@Nullable String> chosen) {
        this.instance = instance;
        this.engine = engine;
        this.sink = sink;
        this.services = services;
        this.chosen = chosen;
    }

    @Override
    public Optional<Route> route() {
        return services.transportFor(chosen.get())
                .map(t -> new Route(t, t.name(), () -> t.connect(instance, engine, sink)));
    }

    @Override
    public void end() {
        engine.close();
    }

    /** Leaves the engine to the thread that is stuck in it: closing it under that thread could corrupt what it writes. */
    @Override
    public void kill() {}

    @Override
    public OptionalLong pid() {
        return OptionalLong.empty();
    }
}
