package org.vtpm.manager;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.storage.StateException;

/**
 * One virtual TPM. Orders of operators (start, stop, attach, ...) take their turn under {@link #orders}; everything that
 * touches the engine runs on {@link #lane}, between two commands of the guest.
 */
final class Instance implements GuestChannel {
    private static final Logger LOG = LoggerFactory.getLogger(Instance.class);
    private static final String MDC_INSTANCE = "vtpm.instance";

    /** The state with all that belongs to it, replaced as a whole. */
    private record Power(
            InstanceState state,
            @Nullable EngineHost host,
            @Nullable String reason) {
        static final Power OFF = new Power(InstanceState.STOPPED, null, null);
    }

    /** The command that the engine is busy with. */
    private record Running(
            EngineHost host, byte[] command, long since, Thread thread, CompletableFuture<byte[]> response) {}

    private final Services services;
    private final WorkerPool pool;
    private final EngineLauncher launcher;
    private final Lane lane;
    private final Endpoints endpoints;
    private final Object orders = new Object();
    private volatile Power power = Power.OFF;
    private volatile InstanceRecord record;
    private volatile @Nullable Running running;
    private final AtomicLong commands = new AtomicLong();

    Instance(InstanceRecord record, Services services, WorkerPool pool) {
        this.record = record;
        this.services = services;
        this.pool = pool;
        this.launcher = new EngineLauncher(services);
        this.lane = new Lane(pool);
        this.endpoints = new Endpoints(this, services, record.endpoints());
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
                now.reason(),
                host == null ? null : host.transport(),
                endpoints.info(),
                commands.get(),
                host == null ? OptionalLong.empty() : host.pid());
    }

    // The guest's side

    @Override
    public CompletableFuture<byte[]> execute(int locality, byte[] command) {
        CompletableFuture<byte[]> response = new CompletableFuture<>();
        if (lane.waiting() >= services.settings().queueLimit()) {
            response.complete(Responses.retry(family()));
            return response;
        }
        lane.submit(() -> run(locality, command, response));
        return response;
    }

    private void run(int locality, byte[] command, CompletableFuture<byte[]> response) {
        EngineHost host = power.host();
        if (host == null) {
            response.complete(Responses.failure(family()));
            return;
        }
        Running mine = new Running(host, command, System.nanoTime(), Thread.currentThread(), response);
        MDC.put(MDC_INSTANCE, name());
        byte[] answer;
        running = mine;
        try {
            answer = host.execute(locality, command);
            commands.incrementAndGet();
        } catch (IOException e) {
            LOG.warn("Command {} was answered with a failure: {}", Responses.ordinal(command), e.getMessage());
            answer = Responses.failure(family());
        } catch (InterruptedException e) {
            answer = Responses.failure(family());
        } catch (RuntimeException e) {
            LOG.error("Command {} was answered with a failure", Responses.ordinal(command), e);
            answer = Responses.failure(family());
        } finally {
            MDC.remove(MDC_INSTANCE);
        }
        if (!settle(mine)) {
            // Given up long ago: nobody waits for the answer, and nobody else uses this engine.
            Thread.interrupted();
            host.end();
            pool.threadFound();
            return;
        }
        response.complete(answer);
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

    /** Whether the command is still its own thread's to end, and not given up. */
    private synchronized boolean settle(Running mine) {
        if (!mine.equals(running)) {
            return false;
        }
        running = null;
        return true;
    }

    /** Fails the instance if its engine has been busy with one command for too long. */
    void checkTimeout(long now) {
        Running busy = running;
        long limit = services.settings().commandTimeout().toNanos();
        if (busy != null && now - busy.since() > limit) {
            giveUp(
                    busy,
                    "command " + Responses.ordinal(busy.command()) + " was not answered within "
                            + services.settings().commandTimeout().toMillis() + " ms");
        }
    }

    /**
     * Ends a command in its thread's stead: fails the instance, answers the guest and lets the lane go on without the
     * thread. All under the lock that {@link #settle} takes, so that the thread cannot move on to another instance before
     * it is interrupted.
     */
    private boolean giveUp(Running busy, String reason) {
        synchronized (this) {
            if (!busy.equals(running)) {
                return false;
            }
            running = null;
            fail(busy.host(), reason);
            pool.threadLost();
            lane.abandon();
            busy.thread().interrupt();
        }
        busy.host().kill();
        busy.response().complete(Responses.failure(family()));
        return true;
    }

    private void processDied(EngineHost host, int status) {
        String ending = status > 128 ? "by signal " + (status - 128) : "with exit status " + status;
        String reason = "its process vtpmd ended " + ending;
        Running busy = running;
        if (busy != null && busy.host() == host && giveUp(busy, reason)) {
            return;
        }
        if (fail(host, reason)) {
            host.kill();
        }
    }

    /** From running to failed; false if this host is not the one in charge any more. */
    private boolean fail(EngineHost host, String reason) {
        Power now = power;
        if (now.host() != host
                || !replace(
                        now,
                        new Power(InstanceState.FAILED, null, reason + "; vtpm:restart it when the cause is gone"))) {
            return false;
        }
        log(() -> LOG.error("Instance {} failed: {}", name(), reason));
        return true;
    }

    // The operator's side

    /** Powers on and serves the endpoints. */
    void start(@Nullable StartupMode startup) throws VtpmException {
        synchronized (orders) {
            if (!record.running()) {
                store(with(record, record.transport(), record.endpoints(), true));
            }
            onLane(() -> powerOn(startup == null ? record.startup() : startup));
        }
    }

    /**
     * Powers on what was running when the manager ended, without waiting for it. Does nothing unless it is stopped, and
     * there is all it needs.
     */
    void resume() {
        if (record.running()
                && services.canRun(record)
                && replace(Power.OFF, new Power(InstanceState.STARTING, null, null))) {
            lane.submit(() -> log(() -> {
                try {
                    powerOn(record.startup());
                } catch (VtpmException e) {
                    LOG.debug("Not resumed", e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
    }

    private void powerOn(StartupMode startup) throws VtpmException, InterruptedException {
        if (power.state() == InstanceState.RUNNING) {
            return;
        }
        exchange(new Power(InstanceState.STARTING, null, null));
        try {
            EngineHost host = powerOnEngine(startup);
            exchange(new Power(InstanceState.RUNNING, host, null));
            LOG.info(
                    "Instance {} runs (TPM {}, {}, startup {}, transport {})",
                    name(),
                    family().label(),
                    record.isolation(),
                    startup,
                    host.transport());
        } catch (VtpmException | RuntimeException e) {
            exchange(new Power(InstanceState.FAILED, null, e.getMessage()));
            LOG.error("Instance {} was not started: {}", name(), e.getMessage());
            if (e instanceof VtpmException) {
                throw new VtpmException("instance '" + name() + "' was not started: " + e.getMessage(), e);
            }
            throw e;
        }
        endpoints.open();
    }

    private EngineHost powerOnEngine(StartupMode startup) throws VtpmException, InterruptedException {
        commands.set(0);
        AtomicReference<@Nullable EngineHost> started = new AtomicReference<>();
        EngineHost host = launcher.start(record, () -> record.transport(), status -> {
            EngineHost dead = started.get();
            if (dead != null) {
                processDied(dead, status);
            }
        });
        started.set(host);
        try {
            if (startup != StartupMode.NONE) {
                startUp(host, startup);
            }
            return host;
        } catch (IOException e) {
            host.end();
            throw new VtpmException("its engine did not take TPM_Startup: " + e.getMessage(), e);
        }
    }

    private void startUp(EngineHost host, StartupMode startup) throws IOException, InterruptedException, VtpmException {
        byte[] command = services.engine(family())
                .orElseThrow(() -> new VtpmException("the engine for TPM " + family().label() + " went away"))
                .startupCommand(startup);
        int code = Responses.code(host.execute(0, command));
        if (code != 0) {
            LOG.warn("Instance {} answered TPM_Startup {} with code {}", name(), startup, code);
        }
    }

    /** Powers off after the command that runs. */
    void stop(boolean remember) throws VtpmException {
        synchronized (orders) {
            if (remember && record.running()) {
                store(with(record, record.transport(), record.endpoints(), false));
            }
            endpoints.close();
            onLane(() -> {
                EngineHost host = exchange(Power.OFF).host();
                if (host != null) {
                    host.end();
                    LOG.info("Instance {} stopped", name());
                }
            });
        }
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
                store(with(record, record.transport(), uris, record.running()));
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
            store(with(record, record.transport(), uris, record.running()));
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
            store(with(record, transport, record.endpoints(), record.running()));
            onLane(this::relinkNow);
        }
    }

    /** Moves to the transport that should carry it now, between two commands. Completes when done. */
    CompletableFuture<@Nullable Void> relink() {
        CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        lane.submit(() -> {
            log(this::relinkNow);
            done.complete(null);
        });
        return done;
    }

    private void relinkNow() {
        EngineHost host = power.host();
        if (host == null) {
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

    /** The engine's bundle goes: an engine in this JVM cannot go on without its code. */
    void engineGone(TpmFamily family) {
        if (family() != family || record.isolation() != Isolation.SHARED) {
            return;
        }
        lane.submit(() -> {
            EngineHost host = power.host();
            if (host != null && fail(host, "the bundle of its engine was stopped")) {
                host.end();
            }
        });
    }

    void handlerCame() {
        endpoints.handlerCame();
    }

    void handlerGone(EndpointHandler handler) {
        endpoints.handlerGone(handler);
    }

    // Helpers

    private void store(InstanceRecord changed) throws VtpmException {
        try {
            services.store().update(changed);
        } catch (StateException e) {
            throw new VtpmException("the record of instance '" + name() + "' cannot be stored: " + e.getMessage(), e);
        }
        record = changed;
    }

    private static InstanceRecord with(
            InstanceRecord r, @Nullable String transport, List<URI> endpoints, boolean running) {
        return new InstanceRecord(
                r.uuid(), r.name(), r.family(), r.isolation(), r.startup(), transport, endpoints, running, r.created());
    }

    /** What an operator's order does on the lane. */
    @FunctionalInterface
    private interface Order {
        void run() throws VtpmException, InterruptedException;
    }

    /** Runs an order on the lane and waits for it. */
    private void onLane(Order order) throws VtpmException {
        CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        lane.submit(() -> log(() -> {
            try {
                order.run();
                done.complete(null);
            } catch (VtpmException | InterruptedException | RuntimeException e) {
                done.completeExceptionally(e);
            }
        }));
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
            throw new CompletionException(e.getCause());
        }
    }

    private void log(Runnable work) {
        MDC.put(MDC_INSTANCE, name());
        try {
            work.run();
        } finally {
            MDC.remove(MDC_INSTANCE);
        }
    }
}
