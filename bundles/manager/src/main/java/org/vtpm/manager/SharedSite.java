package org.vtpm.manager;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;

/**
 * An engine in this JVM, for as long as the service that made it is there; then another. In between, what the TPM was doing
 * is a snapshot that lies in memory only: the one engine that accepts it uses it up, and it does not outlive the manager.
 */
final class SharedSite implements EngineSite {
    private final InstanceRecord instance;
    private final FencedSink sink;
    private final Services services;
    private final Supplier<@Nullable String> chosen;
    private @Nullable EngineFactory factory;
    private @Nullable Engine engine;
    private byte @Nullable [] snapshot;
    /** Why there is no engine, exactly while there is none. */
    private volatile @Nullable String waiting;

    /**
     * Takes an open engine over.
     *
     * @param instance whose it is, as recorded when it was powered on
     * @param factory what the engine was opened by
     * @param chosen the name of the transport that the instance's operator chose, if any
     */
    SharedSite(
            InstanceRecord instance,
            EngineFactory factory,
            Engine engine,
            FencedSink sink,
            Services services,
            Supplier<@Nullable String> chosen) {
        this.instance = instance;
        this.factory = factory;
        this.engine = engine;
        this.sink = sink;
        this.services = services;
        this.chosen = chosen;
    }

    @Override
    public Optional<Route> route() {
        return waiting != null
                ? Optional.empty()
                : services.transportFor(chosen.get())
                        .map(t -> new Route(t, t.name(), () -> t.connect(instance.uuid(), opened(), sink)));
    }

    private Engine opened() throws IOException {
        Engine open = engine;
        if (open == null) {
            throw new IOException(obstacle());
        }
        return open;
    }

    @Override
    public String obstacle() {
        String reason = waiting;
        return reason == null
                ? "no transport can carry it; start the bundle transport-loopback or transport-fifo"
                : reason;
    }

    @Override
    public boolean stays() {
        return services.engines().first(e -> e == factory).isPresent();
    }

    @Override
    public void move() throws IOException, InterruptedException {
        if (engine != null) {
            leave(engine);
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        enter();
    }

    private void leave(Engine left) throws IOException {
        waiting = "it is between two engines";
        engine = null;
        factory = null;
        try (left) {
            snapshot = left.snapshot();
        } catch (RuntimeException | Error e) {
            forget();
            // Its message may quote what the guest sent.
            throw new IOException(
                    "the bundle of its engine was stopped, and the engine gave no snapshot: "
                            + e.getClass().getName(),
                    e);
        }
    }

    private void enter() throws IOException {
        byte[] held = snapshot;
        List<EngineFactory> candidates = services.engines(instance.family());
        if (held == null || candidates.isEmpty()) {
            waiting = "no engine for TPM " + instance.family().label() + " is there; it goes on when one comes";
            return;
        }
        Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
        try {
            state.putAll(services.store().load(instance.uuid()));
            state.put(StateKind.VOLATILE, held.clone());
            enter(candidates, state);
        } catch (IOException e) {
            throw new IOException("its state cannot be opened: " + e.getMessage(), e);
        } finally {
            state.values().forEach(part -> Arrays.fill(part, (byte) 0));
        }
    }

    /** An engine that refuses the snapshot is as none: one that accepts it may come, such as the one that was left. */
    private void enter(List<EngineFactory> candidates, Map<StateKind, byte[]> state) {
        List<String> refusals = new ArrayList<>();
        for (EngineFactory candidate : candidates) {
            try {
                engine = candidate.open(state);
                factory = candidate;
                forget();
                waiting = null;
                return;
            } catch (EngineStateException e) {
                refusals.add(e.getMessage());
            } catch (RuntimeException | Error e) {
                refusals.add(e.getClass().getName());
            }
        }
        waiting = "no engine for TPM " + instance.family().label() + " that is there can go on with it ("
                + String.join("; ", refusals) + "); start the bundle of one that can,"
                + " or give up what it was doing and power it on anew with vtpm:restart";
    }

    private void forget() {
        if (snapshot != null) {
            Arrays.fill(snapshot, (byte) 0);
        }
        snapshot = null;
    }

    @Override
    public Optional<byte[]> held() {
        return Optional.ofNullable(snapshot).map(byte[]::clone);
    }

    @Override
    public void end() {
        forget();
        if (engine != null) {
            engine.close();
        }
    }

    /**
     * Leaves the engine to the thread that is stuck in it, and stores nothing of it any more: closing it under that thread could
     * corrupt what it writes.
     */
    @Override
    public void kill() {
        sink.cut();
    }

    @Override
    public OptionalLong pid() {
        return OptionalLong.empty();
    }
}
