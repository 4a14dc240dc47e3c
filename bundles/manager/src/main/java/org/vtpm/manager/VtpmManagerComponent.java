package org.vtpm.manager;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.endorsement.EndorsementAuthority;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.manager.AuthorityInfo;
import org.vtpm.api.manager.BundleOrder;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateSnapshot;
import org.vtpm.api.storage.StateStore;
import org.vtpm.api.transport.EngineTransport;
import org.vtpm.api.transport.ProcessTransport;

/**
 * The manager as a service: ties the registry to services that come and go, starts at boot what ran before, and watches
 * for engines that do not answer.
 */
@Component(immediate = true, service = VtpmManager.class, configurationPid = "org.vtpm.manager")
@Designate(ocd = ManagerConfig.class)
public final class VtpmManagerComponent implements VtpmManager {
    /** Most wait for the disk, where those that wait together share a sync. */
    private static final int WORKERS_PER_PROCESSOR = 12;

    private static final Logger LOG = LoggerFactory.getLogger(VtpmManagerComponent.class);

    /** How far past its time-out a command may run before it is noticed, in milliseconds. */
    private static final long WATCH_MS = 100;

    /** How long a service that goes is held up at most for instances to leave it. */
    private static final Duration MOVE_PATIENCE = Duration.ofSeconds(10);

    private volatile Settings settings;
    private final Services services;
    private final WorkerPool pool;
    private final InstanceRegistry registry;
    private final Transfers transfers;
    private final ScheduledExecutorService watch;
    private volatile boolean active;

    @Activate
    public VtpmManagerComponent(@Reference StateStore store, ManagerConfig config) throws StateException {
        settings = Settings.of(config);
        services = new Services(store, () -> settings);
        int workers = config.workers() > 0
                ? config.workers()
                : WORKERS_PER_PROCESSOR * Runtime.getRuntime().availableProcessors();
        pool = new WorkerPool(workers);
        registry = new InstanceRegistry(services, pool, Clock.systemUTC());
        registry.load(store.instances());
        transfers = new Transfers(services, registry);
        watch = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "vtpm-watch");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Activate
    void start() {
        active = true;
        LOG.info("vTPM manager started with {} instances", registry.all().size());
        var unused = watch.scheduleWithFixedDelay(this::watch, WATCH_MS, WATCH_MS, TimeUnit.MILLISECONDS);
        startWanted();
    }

    @Modified
    void modified(ManagerConfig config) {
        settings = Settings.of(config);
        relink();
        LOG.info("vTPM manager configuration changed");
    }

    @Deactivate
    void stop() {
        active = false;
        watch.shutdownNow();
        CompletableFuture<?>[] ends = registry.all().stream()
                .map(instance -> CompletableFuture.runAsync(() -> {
                    try {
                        instance.stop(false);
                    } catch (VtpmException e) {
                        LOG.warn("Instance {} did not stop in order: {}", instance.name(), e.getMessage());
                    }
                }))
                .toArray(CompletableFuture[]::new);
        await(CompletableFuture.allOf(ends), "to stop");
        pool.close();
        LOG.info("vTPM manager stopped");
    }

    /** Starts what an operator wants to run and does not, as soon as there is all it needs. */
    private void startWanted() {
        if (active) {
            registry.all().forEach(Instance::startIfWanted);
        }
    }

    private void watch() {
        long now = System.nanoTime();
        for (Instance instance : registry.all()) {
            try {
                instance.checkTimeout(now);
            } catch (RuntimeException e) {
                LOG.error("Instance {} could not be checked", instance.name(), e);
            }
        }
    }

    // Services that come and go. Unbinding returns when nothing uses the service any more.

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindEngine(EngineFactory engine, Map<String, ?> properties) {
        services.engines().add(engine, properties);
        relink();
        startWanted();
    }

    void unbindEngine(EngineFactory engine) {
        services.engines().remove(engine);
        TpmFamily family = engine.family();
        leave(instance -> instance.shares(family), "engine for TPM " + family.label());
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindTransport(EngineTransport transport, Map<String, ?> properties) {
        services.transports().add(transport, properties);
        relink();
        startWanted();
    }

    void unbindTransport(EngineTransport transport) {
        services.transports().remove(transport);
        leave(any -> true, "transport " + transport.name());
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindProcessTransport(ProcessTransport transport, Map<String, ?> properties) {
        services.processTransports().add(transport, properties);
        relink();
        startWanted();
    }

    void unbindProcessTransport(ProcessTransport transport) {
        services.processTransports().remove(transport);
        leave(any -> true, "transport " + transport.name());
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindHandler(EndpointHandler handler, Map<String, ?> properties) {
        services.handlers().add(handler, properties);
        registry.all().forEach(Instance::handlerCame);
    }

    void unbindHandler(EndpointHandler handler) {
        services.handlers().remove(handler);
        registry.all().forEach(instance -> instance.handlerGone(handler));
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindAuthority(EndorsementAuthority authority, Map<String, ?> properties) {
        services.authorities().add(authority, properties);
    }

    void unbindAuthority(EndorsementAuthority authority) {
        services.authorities().remove(authority);
    }

    /** Waits for instances to leave a service that goes; once the manager is stopped, none is on one. */
    private void leave(Predicate<Instance> whoMayUseIt, String what) {
        if (active) {
            await(registry.relink(whoMayUseIt), "to leave " + what);
        }
    }

    /** Lets every instance move to the transport and the engine that it should have now, in its own time. */
    private void relink() {
        if (active) {
            var unused = registry.relink(any -> true);
        }
    }

    private static void await(CompletableFuture<?> moves, String what) {
        try {
            moves.get(MOVE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn("Some instances are busy and took longer than {} s {}", MOVE_PATIENCE.toSeconds(), what);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            LOG.error("Failed {}", what, e.getCause());
        }
    }

    @Override
    public InstanceInfo create(NewInstance order) throws VtpmException {
        return registry.create(order);
    }

    @Override
    public ImportedInstance importInstance(NewInstance order, ForeignState state) throws VtpmException {
        return transfers.importInstance(order, state);
    }

    @Override
    public byte[] exportInstance(UUID instance, BundleRecipient recipient) throws VtpmException {
        return transfers.exportInstance(instance, recipient);
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) throws VtpmException {
        return transfers.bundleLock(file);
    }

    @Override
    public ImportedInstance importBundle(BundleOrder order, byte[] bundle, byte @Nullable [] passphrase)
            throws VtpmException {
        return transfers.importBundle(order, bundle, passphrase);
    }

    @Override
    public List<InstanceInfo> instances() {
        return registry.instances();
    }

    @Override
    public Optional<InstanceInfo> find(UUID instance) {
        return registry.find(instance);
    }

    @Override
    public Optional<InstanceInfo> find(String nameOrUuid) {
        return registry.find(nameOrUuid);
    }

    @Override
    public InstanceInfo start(UUID instance, @Nullable StartupMode startup) throws VtpmException {
        return registry.start(instance, startup);
    }

    @Override
    public InstanceInfo stop(UUID instance) throws VtpmException {
        return registry.stop(instance);
    }

    @Override
    public InstanceInfo suspend(UUID instance) throws VtpmException {
        return registry.suspend(instance);
    }

    @Override
    public InstanceInfo resume(UUID instance) throws VtpmException {
        return registry.resume(instance);
    }

    @Override
    public InstanceInfo discard(UUID instance) throws VtpmException {
        return registry.discard(instance);
    }

    @Override
    public void delete(UUID instance, boolean force) throws VtpmException {
        registry.delete(instance, force);
    }

    @Override
    public InstanceInfo attach(UUID instance, URI endpoint) throws VtpmException {
        return registry.attach(instance, endpoint);
    }

    @Override
    public InstanceInfo detach(UUID instance, URI endpoint) throws VtpmException {
        return registry.detach(instance, endpoint);
    }

    @Override
    public InstanceInfo useTransport(UUID instance, @Nullable String transport) throws VtpmException {
        return registry.useTransport(instance, transport);
    }

    @Override
    public List<StateSnapshot> stateSnapshots(UUID instance) throws VtpmException {
        return registry.stateSnapshots(instance);
    }

    @Override
    public void takeStateSnapshot(UUID instance, String name) throws VtpmException {
        registry.takeStateSnapshot(instance, name);
    }

    @Override
    public InstanceInfo restoreStateSnapshot(UUID instance, String name) throws VtpmException {
        return registry.restoreStateSnapshot(instance, name);
    }

    @Override
    public void dropStateSnapshot(UUID instance, String name) throws VtpmException {
        registry.dropStateSnapshot(instance, name);
    }

    @Override
    public Optional<EndorsementInfo> endorsement(UUID instance) throws VtpmException {
        return registry.endorsement(instance);
    }

    @Override
    public AuthorityInfo authority() throws VtpmException {
        return registry.authority();
    }
}
