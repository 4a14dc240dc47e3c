package org.vtpm.manager;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.storage.StateException;

/**
 * One virtual TPM. Orders of operators (start, stop, attach, ...) take their turn under {@link #orders}; everything that
 * touches the engine takes its turn on {@link #runner}, between two commands of the guest.
 */
final class Instance implements GuestChannel, CommandRunner.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(Instance.class);

    private final Services services;
    private final EngineLauncher launcher;
    private final CommandRunner runner;
    private final Endpoints endpoints;
    private final Object orders = new Object();
    private volatile Power power;
    /** The order that waits for its engine, while one does. */
    private volatile @Nullable Waiting waiting;

    private volatile InstanceRecord record;

    Instance(InstanceRecord record, Services services, WorkerPool pool) {
        this.record = record;
        this.power = atRest(record);
        this.services = services;
        this.launcher = new EngineLauncher(services);
        this.runner = new CommandRunner(this, services::settings, pool);
        this.endpoints = new Endpoints(this, services, record.endpoints());
    }

    /**
     * An order that fails when the engine does.
     *
     * @param done completes with it
     * @param what was to be done, as in: the instance was not ...
     */
    private record Waiting(CompletableFuture<?> done, String what) {}

    /** What an instance is that has no engine, and has not failed. */
    private static Power atRest(InstanceRecord record) {
        return record.wanted() == Wanted.SUSPENDED ? Power.SUSPENDED : Power.OFF;
    }

    InstanceRecord record() {
        return record;
    }

    @Override
    public UUID instance() {
        return record.uuid();
    }

    @Override
    public String name() {
        return record.name();
    }

    @Override
    public TpmFamily family() {
        return record.family();
    }

    InstanceInfo info() {
        Power now = power;
        EngineHost host = now.host();
        return new InstanceInfo(
                record,
                now.state(),
                now.state() == InstanceState.RUNNING && host != null ? host.obstacle() : now.reason(),
                host == null ? null : host.transport(),
                endpoints.info(),
                runner.answered(),
                host == null ? OptionalLong.empty() : host.pid());
    }

    // The guest's side

    @Override
    public CompletableFuture<byte[]> execute(int locality, byte[] command) {
        return runner.execute(locality, command);
    }

    @Override
    public CompletableFuture<byte[]> executeHere(int locality, byte[] command, BooleanSupplier mayLast) {
        return runner.executeHere(locality, command, mayLast);
    }

    void checkTimeout(long now) {
        runner.checkTimeout(now);
    }

    @Override
    public @Nullable EngineHost host() {
        Power now = power;
        return now.state() == InstanceState.RUNNING ? now.host() : null;
    }

    @Override
    public boolean failed(EngineHost host, String reason) {
        Power now = power;
        if (now.host() != host || !replace(now, Power.failed(reason + "; vtpm:restart it when the cause is gone"))) {
            return false;
        }
        LOG.error("Instance {} failed: {}", name(), reason);
        Waiting order = waiting;
        if (order != null) {
            order.done().completeExceptionally(notDone(order.what(), reason, null));
        }
        return true;
    }

    private synchronized Power exchange(Power next) {
        Power before = power;
        power = next;
        return before;
    }

    private synchronized boolean replace(Power expected, Power next) {
        if (!power.equals(expected)) {
            return false;
        }
        power = next;
        return true;
    }

    // The operator's side

    /** Powers on and serves the endpoints. */
    void start(@Nullable StartupMode startup) throws VtpmException {
        synchronized (orders) {
            requireNoSnapshot();
            want(Wanted.RUNNING);
            onEngine("started", () -> powerOn(startup == null ? record.startup() : startup));
        }
    }

    /** Only a resume may use a snapshot up, and only a discard may give it up. */
    private void requireNoSnapshot() throws VtpmException {
        if (record.wanted() == Wanted.SUSPENDED) {
            throw new VtpmException(
                    "instance '" + name() + "' is suspended; vtpm:resume it, or give up what it was doing"
                            + " and power it on anew with vtpm:start --discard");
        }
    }

    /**
     * Powers on what was running when the manager ended, without waiting for it. Does nothing unless it is stopped, and
     * there is all it needs.
     */
    void startIfWanted() {
        if (record.wanted() == Wanted.RUNNING && services.canRun(record) && replace(Power.OFF, Power.STARTING)) {
            runner.submit(() -> {
                if (!services.canRun(record)) {
                    // Gone while this waited for its turn; tried again in case it was back before anybody could know.
                    replace(Power.STARTING, Power.OFF);
                    startIfWanted();
                    return;
                }
                try {
                    powerOn(record.startup());
                } catch (VtpmException e) {
                    LOG.debug("Not started again", e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
    }

    private void powerOn(StartupMode startup) throws VtpmException, InterruptedException {
        if (power.state() == InstanceState.RUNNING) {
            return;
        }
        exchange(Power.STARTING);
        EngineHost host = null;
        try {
            EngineFactory factory = launcher.factory(record);
            host = launch(factory, false);
            Power begun = Power.starting(host);
            exchange(begun);
            startUp(host, factory, startup);
            if (!replace(begun, Power.on(host))) {
                throw new VtpmException("its engine ended while it was started");
            }
            LOG.info(
                    "Instance {} runs (TPM {}, {}, startup {}, transport {})",
                    name(),
                    family().label(),
                    record.isolation(),
                    startup,
                    host.transport());
        } catch (VtpmException | RuntimeException | Error e) {
            String reason = reason(e);
            exchange(Power.failed(reason));
            LOG.error("Instance {} was not started: {}", name(), reason);
            if (host != null) {
                host.end();
            }
            throw notDone("started", reason, e);
        }
        endpoints.open();
    }

    /** Why something failed, for people; nobody writes the message of an error for them. */
    private static String reason(Throwable thrown) {
        return thrown instanceof Error
                ? Faults.name(thrown) + ": " + Faults.remedy(thrown)
                : String.valueOf(thrown.getMessage());
    }

    private VtpmException notDone(String what, String reason, @Nullable Throwable cause) {
        String message = "instance '" + name() + "' was not " + what + ": " + reason;
        return cause == null ? new VtpmException(message) : new VtpmException(message, cause);
    }

    private EngineHost launch(EngineFactory factory, boolean resume) throws VtpmException, InterruptedException {
        runner.restart();
        AtomicReference<@Nullable EngineHost> launched = new AtomicReference<>();
        EngineHost host = launcher.start(record, factory, resume, () -> record.transport(), status -> {
            EngineHost dead = launched.get();
            if (dead != null) {
                runner.hostDied(dead, "its process vtpmd ended " + ending(status));
            }
        });
        launched.set(host);
        return host;
    }

    private static String ending(int status) {
        return status > 128 ? "by signal " + (status - 128) : "with exit status " + status;
    }

    private void startUp(EngineHost host, EngineFactory factory, StartupMode startup)
            throws VtpmException, InterruptedException {
        if (startup == StartupMode.NONE) {
            return;
        }
        byte[] command = factory.startupCommand(startup);
        try {
            int code = Responses.code(runner.execute(host, 0, command));
            if (code != 0) {
                LOG.warn("Instance {} answered TPM_Startup {} with code {}", name(), startup, code);
            }
        } catch (IOException e) {
            throw new VtpmException("its engine did not take TPM_Startup: " + e.getMessage(), e);
        }
    }

    /** Powers off after the command that runs. */
    void stop(boolean remember) throws VtpmException {
        synchronized (orders) {
            if (remember) {
                requireNoSnapshot();
                want(Wanted.STOPPED);
            }
            endpoints.close();
            onLane(() -> {
                // It may just have been started by what was queued before.
                endpoints.close();
                EngineHost host = exchange(atRest(record)).host();
                if (host != null) {
                    host.end();
                    LOG.info("Instance {} stopped", name());
                }
            });
        }
    }

    /** Stores a snapshot after the command that runs, and ends the engine. */
    void suspend() throws VtpmException {
        synchronized (orders) {
            if (power.state() != InstanceState.SUSPENDED) {
                onEngine("suspended", this::suspendNow);
            }
        }
    }

    /** From the snapshot on to the end of the engine the lane is held: the guest gets no answer that the snapshot lacks. */
    private void suspendNow() throws VtpmException, InterruptedException {
        EngineHost host = host();
        if (host == null) {
            throw notDone("suspended", "it does not run; vtpm:show " + name() + " tells what it does", null);
        }
        byte[] snapshot;
        try {
            snapshot = runner.snapshot(host);
        } catch (IOException e) {
            throw notDone("suspended", e.getMessage() + "; it was not stopped", e);
        }
        try {
            keep(snapshot, host);
        } finally {
            Arrays.fill(snapshot, (byte) 0);
        }
        exchange(Power.SUSPENDED);
        endpoints.close();
        host.end();
        LOG.info("Instance {} suspended", name());
    }

    /**
     * Stores a snapshot, then that it counts: a crash in between leaves an instance that ran, and a snapshot that the next
     * start erases.
     */
    private void keep(byte[] snapshot, EngineHost host) throws VtpmException {
        try {
            services.store().save(instance(), Map.of(StateKind.VOLATILE, snapshot));
        } catch (StateException e) {
            throw notDone("suspended", "its snapshot cannot be stored: " + e.getMessage() + "; it runs on", e);
        }
        try {
            want(Wanted.SUSPENDED);
        } catch (VtpmException e) {
            try {
                // The record may be on disk all the same: the guest must not get on while there is what takes it back.
                launcher.eraseSnapshot(record);
            } catch (VtpmException second) {
                e.addSuppressed(second);
                String reason = "its snapshot could be neither kept nor erased: " + second.getMessage();
                exchange(Power.failed(reason + "; vtpm:restart it when the cause is gone"));
                LOG.error("Instance {} failed: {}", name(), reason);
                host.end();
            }
            throw e;
        }
    }

    /** Goes on from the snapshot, and serves the endpoints. */
    void resume() throws VtpmException {
        synchronized (orders) {
            if (record.wanted() == Wanted.SUSPENDED) {
                if (!services.canRun(record)) {
                    throw notDone("resumed", "its engine or transport is not there; vtpm:backends shows what is", null);
                }
                onEngine("resumed", this::resumeNow);
            } else if (power.state() != InstanceState.RUNNING) {
                throw notDone("resumed", "it is not suspended; vtpm:start it", null);
            }
        }
    }

    private void resumeNow() throws VtpmException, InterruptedException {
        exchange(Power.STARTING);
        EngineHost host = null;
        try {
            host = launch(launcher.factory(record), true);
            Power begun = Power.starting(host);
            exchange(begun);
            useUp();
            if (!replace(begun, Power.on(host))) {
                throw new VtpmException("its engine ended while it was resumed");
            }
            LOG.info("Instance {} resumed (transport {})", name(), host.transport());
        } catch (VtpmException | RuntimeException | Error e) {
            String remedy = record.wanted() == Wanted.SUSPENDED
                    ? "; its snapshot is kept: vtpm:resume it when the cause is gone, or give up what it was doing and power"
                            + " it on anew with vtpm:start --discard"
                    : "; what it was doing is lost: vtpm:start it";
            String reason = reason(e) + remedy;
            exchange(Power.failed(reason));
            LOG.error("Instance {} was not resumed: {}", name(), reason);
            if (host != null) {
                host.end();
            }
            throw notDone("resumed", reason, e);
        }
        endpoints.open();
    }

    /**
     * Lets the snapshot count no more, then erases it: a crash in between leaves an instance that is powered on anew. Nobody
     * has heard of the resumed engine yet, so whatever fails here may be taken back.
     */
    private void useUp() throws VtpmException {
        want(Wanted.RUNNING);
        try {
            launcher.eraseSnapshot(record);
        } catch (VtpmException e) {
            try {
                want(Wanted.SUSPENDED);
            } catch (VtpmException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    /** Gives the snapshot up; it counts no more, even if it cannot be erased. */
    void discard() throws VtpmException {
        synchronized (orders) {
            if (record.wanted() != Wanted.SUSPENDED) {
                return;
            }
            onLane(() -> {
                want(Wanted.STOPPED);
                exchange(Power.OFF);
                LOG.info("What instance {} was doing when it was suspended was given up", name());
                launcher.eraseSnapshot(record);
            });
        }
    }

    /** Takes it back to state that was put by; it is stopped then. */
    void restore(String snapshot) throws VtpmException {
        synchronized (orders) {
            onLane(() -> restoreNow(snapshot));
        }
    }

    /** On the lane no engine can be powered on meanwhile, which would go on with the state of before. */
    private void restoreNow(String snapshot) throws VtpmException {
        switch (power.state()) {
            case STOPPED, FAILED -> {}
            case SUSPENDED ->
                throw notDone("restored", "it is suspended; vtpm:resume it and stop it, or vtpm:start --discard", null);
            default -> throw notDone("restored", "it runs; vtpm:stop it", null);
        }
        try {
            services.store().restoreSnapshot(instance(), snapshot);
        } catch (StateException e) {
            throw notDone("restored", String.valueOf(e.getMessage()), e);
        }
        LOG.warn("Instance {} was taken back to its snapshot {}", name(), snapshot);
        // What a suspended one was doing does not fit the state that it has now.
        want(Wanted.STOPPED);
        exchange(Power.OFF);
    }

    void attach(URI endpoint) throws VtpmException {
        synchronized (orders) {
            List<URI> uris = new ArrayList<>(record.endpoints());
            uris.add(endpoint);
            endpoints.add(endpoint);
            Optional<String> problem = problem(endpoint);
            if (problem.isPresent()) {
                endpoints.remove(endpoint);
                throw new VtpmException(endpoint + " cannot be served for instance '" + name() + "': " + problem.get());
            }
            try {
                store(with(record, record.transport(), uris, record.wanted()));
            } catch (VtpmException e) {
                endpoints.remove(endpoint);
                throw e;
            }
        }
    }

    void detach(URI endpoint) throws VtpmException {
        synchronized (orders) {
            List<URI> uris = new ArrayList<>(record.endpoints());
            if (!uris.remove(endpoint)) {
                throw new VtpmException("instance '" + name() + "' has no endpoint " + endpoint + "; vtpm:show "
                        + name() + " lists those it has");
            }
            store(with(record, record.transport(), uris, record.wanted()));
            endpoints.remove(endpoint);
        }
    }

    /** Why an endpoint is not served, if it should be and is not. */
    Optional<String> problem(URI endpoint) {
        return endpoints.info().stream()
                .filter(e -> e.uri().equals(endpoint))
                .flatMap(e -> Stream.ofNullable(e.problem()))
                .findFirst();
    }

    void useTransport(@Nullable String transport) throws VtpmException {
        synchronized (orders) {
            store(with(record, transport, record.endpoints(), record.wanted()));
            onLane(this::relinkNow);
        }
    }

    /** Whether its engines, when it runs, are in this JVM and of this family. */
    boolean shares(TpmFamily engines) {
        return family() == engines && record.isolation() == Isolation.SHARED;
    }

    /**
     * Moves to the transport that should carry it now, and to another engine if its own goes, between two commands.
     * Completes when done.
     */
    CompletableFuture<@Nullable Void> relink() {
        CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        runner.submit(() -> {
            try {
                relinkNow();
            } finally {
                // Whatever was thrown: whoever waits has nothing else to wait for.
                done.complete(null);
            }
        });
        return done;
    }

    private void relinkNow() {
        EngineHost host = power.host();
        if (host == null || (!host.stays() && !move(host))) {
            return;
        }
        String before = host.transport();
        try {
            host.relink();
        } catch (IOException e) {
            LOG.warn("Instance {} has no transport now: {}", name(), e.getMessage());
        }
        String after = host.transport();
        if (before == null ? after != null : !before.equals(after)) {
            LOG.info("Instance {} moved from transport {} to {}", name(), before, after);
        }
    }

    /** Whether the engine's bundle going has left it a TPM, in another engine or waiting for one. */
    private boolean move(EngineHost host) {
        String before = host.obstacle();
        try {
            runner.move(host);
        } catch (InterruptedException e) {
            LOG.debug("Given up", e);
            return false;
        } catch (IOException | RuntimeException | Error e) {
            if (failed(host, reason(e))) {
                host.end();
            }
            return false;
        }
        if (host.stays()) {
            LOG.info("Instance {} goes on in another engine", name());
        } else if (!Objects.equals(host.obstacle(), before)) {
            LOG.info("Instance {} waits for an engine: {}", name(), host.obstacle());
        }
        return true;
    }

    void handlerCame() {
        endpoints.handlerCame();
    }

    void handlerGone(EndpointHandler handler) {
        endpoints.handlerGone(handler);
    }

    // Helpers

    private void want(Wanted wanted) throws VtpmException {
        if (record.wanted() != wanted) {
            store(with(record, record.transport(), record.endpoints(), wanted));
        }
    }

    private void store(InstanceRecord changed) throws VtpmException {
        try {
            services.store().update(changed);
        } catch (StateException e) {
            throw new VtpmException("the record of instance '" + name() + "' cannot be stored: " + e.getMessage(), e);
        }
        record = changed;
    }

    private static InstanceRecord with(
            InstanceRecord r, @Nullable String transport, List<URI> endpoints, Wanted wanted) {
        return new InstanceRecord(
                r.uuid(), r.name(), r.family(), r.isolation(), r.startup(), transport, endpoints, wanted, r.created());
    }

    /** What an operator's order does on the lane. */
    @FunctionalInterface
    private interface Order {
        void run() throws VtpmException, InterruptedException;
    }

    /** Runs an order on the lane and waits for it, but not for an engine that has failed. */
    private void onEngine(String what, Order order) throws VtpmException {
        CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        waiting = new Waiting(done, what);
        try {
            onLane(order, done);
        } finally {
            waiting = null;
        }
    }

    /** Runs an order on the lane and waits for it. */
    private void onLane(Order order) throws VtpmException {
        onLane(order, new CompletableFuture<>());
    }

    private void onLane(Order order, CompletableFuture<@Nullable Void> done) throws VtpmException {
        runner.submit(() -> {
            try {
                order.run();
                done.complete(null);
            } catch (VtpmException | InterruptedException | RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
        try {
            done.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VtpmException("interrupted while instance '" + name() + "' was being changed", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof VtpmException cause) {
                throw cause;
            }
            if (e.getCause() instanceof InterruptedException cause) {
                throw new VtpmException("the manager is stopping", cause);
            }
            if (e.getCause() instanceof Error cause) {
                throw new VtpmException(
                        "the order for instance '" + name() + "' was not carried out to its end: " + reason(cause),
                        cause);
            }
            throw new CompletionException(e.getCause());
        }
    }
}
