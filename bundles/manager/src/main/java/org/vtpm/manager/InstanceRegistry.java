package org.vtpm.manager;

import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.AuthorityInfo;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateSnapshot;

/** All instances of the host: makes them, keeps apart what must be unique among them, and passes operators' orders on. */
final class InstanceRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(InstanceRegistry.class);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    private final Services services;
    private final Endorser endorser;
    private final WorkerPool pool;
    private final Clock clock;
    private final Map<UUID, Instance> instances = new ConcurrentHashMap<>();
    /** Serialises what must be unique among all instances: names, UUIDs, endpoints. Never held while an engine works. */
    private final Object uniqueness = new Object();

    private final Map<UUID, NewInstance> reserved = new ConcurrentHashMap<>();

    InstanceRegistry(Services services, WorkerPool pool, Clock clock) {
        this.services = services;
        this.endorser = new Endorser(services);
        this.pool = pool;
        this.clock = clock;
    }

    /** Reads the instances there are. None is started yet. */
    void load(Collection<InstanceRecord> records) {
        records.forEach(r -> instances.put(r.uuid(), new Instance(r, services, pool)));
    }

    Collection<Instance> all() {
        return instances.values();
    }

    // Operators' orders

    /** Where the first state of a new instance comes from. */
    @FunctionalInterface
    interface FirstState {
        /** The parts there are; the caller zeroes them. */
        Map<StateKind, byte[]> of(EngineFactory factory) throws VtpmException;
    }

    /**
     * What an instance has from before it was here.
     *
     * @param done what the log says was done
     * @param transport that was chosen for it, or null
     * @param created when
     */
    record Past(String done, @Nullable String transport, Instant created) {}

    /** Of an instance that begins now. */
    Past noPast(String done) {
        return new Past(done, null, clock.instant());
    }

    InstanceInfo create(NewInstance order) throws VtpmException {
        return create(
                order, noPast("created"), factory -> Map.of(StateKind.PERMANENT, endorser.manufacture(factory, order)));
    }

    /**
     * Creates an instance, and starts it if it has endpoints; if that fails there is no such instance.
     *
     * @param first gives its first state, once it is known that nothing else is in the way
     */
    InstanceInfo create(NewInstance order, Past past, FirstState first) throws VtpmException {
        if (!NAME.matcher(order.name()).matches()) {
            throw new VtpmException(
                    "'" + order.name() + "' cannot be the name of an instance: use 1 to 64 letters, digits,"
                            + " dots, dashes and underscores, and start with a letter or digit");
        }
        EngineFactory factory = services.engine(order.family())
                .orElseThrow(
                        () -> new VtpmException("instance '" + order.name() + "' was not created: no engine for TPM "
                                + order.family().label() + " is there; install the feature that brings one"));
        for (URI endpoint : order.endpoints()) {
            check(endpoint);
        }
        UUID uuid = order.uuid() == null ? UUID.randomUUID() : order.uuid();
        reserve(uuid, order);
        try {
            return create(uuid, order, past, first.of(factory));
        } finally {
            reserved.remove(uuid);
        }
    }

    /** Creates an instance with its first state, which is zeroed. */
    private InstanceInfo create(UUID uuid, NewInstance order, Past past, Map<StateKind, byte[]> state)
            throws VtpmException {
        Isolation isolation = order.isolation() == null ? services.settings().isolation() : order.isolation();
        InstanceRecord record = new InstanceRecord(
                uuid,
                order.name(),
                order.family(),
                isolation,
                order.startup(),
                past.transport,
                order.endpoints(),
                order.endpoints().isEmpty() ? Wanted.STOPPED : Wanted.RUNNING,
                past.created);
        try {
            services.store().create(record, state);
        } catch (IOException e) {
            throw new VtpmException(
                    "instance '" + order.name() + "' was not created, it cannot be stored: " + e.getMessage(), e);
        } finally {
            state.values().forEach(part -> Arrays.fill(part, (byte) 0));
        }
        Instance instance = new Instance(record, services, pool);
        instances.put(uuid, instance);
        LOG.info(
                "Instance {} {}: {}, TPM {}, {}",
                order.name(),
                past.done,
                uuid,
                order.family().label(),
                isolation);
        if (record.wanted() == Wanted.RUNNING) {
            startNew(instance);
        }
        return instance.info();
    }

    /** Starts a new instance; if it cannot be served as ordered it is taken back, since nobody has used it yet. */
    private void startNew(Instance instance) throws VtpmException {
        Optional<String> problem;
        try {
            instance.start(null);
            problem = instance.record().endpoints().stream()
                    .flatMap(uri -> instance.problem(uri).map(p -> uri + ": " + p).stream())
                    .findFirst();
        } catch (VtpmException e) {
            problem = Optional.of(String.valueOf(e.getMessage()));
        }
        if (problem.isPresent()) {
            delete(instance.instance(), true);
            throw new VtpmException("instance '" + instance.name() + "' was not created: " + problem.get());
        }
    }

    private void reserve(UUID uuid, NewInstance order) throws VtpmException {
        synchronized (uniqueness) {
            if (instances.containsKey(uuid) || reserved.containsKey(uuid)) {
                throw new VtpmException("there is an instance with UUID " + uuid
                        + " already; --uuid UUID gives the new one another identity");
            }
            if (find(order.name()).isPresent()
                    || reserved.values().stream().anyMatch(o -> o.name().equals(order.name()))) {
                throw new VtpmException("there is an instance named '" + order.name() + "' already");
            }
            List<URI> seen = new ArrayList<>();
            for (URI endpoint : order.endpoints()) {
                if (seen.contains(endpoint)) {
                    throw new VtpmException("endpoint " + endpoint + " is given twice");
                }
                seen.add(endpoint);
                free(endpoint);
            }
            reserved.put(uuid, order);
        }
    }

    /** Checks that nobody else has this endpoint. */
    private void free(URI endpoint) throws VtpmException {
        for (Instance other : instances.values()) {
            if (other.record().endpoints().contains(endpoint)) {
                throw new VtpmException(endpoint + " belongs to instance '" + other.name() + "' already");
            }
        }
        for (NewInstance other : reserved.values()) {
            if (other.endpoints().contains(endpoint)) {
                throw new VtpmException(endpoint + " belongs to instance '" + other.name() + "' already");
            }
        }
    }

    private void check(URI endpoint) throws VtpmException {
        EndpointHandler handler = services.handler(endpoint.getScheme())
                .orElseThrow(() -> new VtpmException("no listener serves endpoints like " + endpoint
                        + "; those that are there serve " + String.join(", ", services.schemes())));
        try {
            handler.check(endpoint);
        } catch (IllegalArgumentException e) {
            throw new VtpmException(String.valueOf(e.getMessage()), e);
        }
    }

    List<InstanceInfo> instances() {
        return instances.values().stream()
                .sorted(Comparator.comparing(Instance::name))
                .map(Instance::info)
                .toList();
    }

    Optional<InstanceInfo> find(UUID instance) {
        return Optional.ofNullable(instances.get(instance)).map(Instance::info);
    }

    Optional<InstanceInfo> find(String nameOrUuid) {
        return instances.values().stream()
                .filter(i ->
                        i.name().equals(nameOrUuid) || i.instance().toString().equalsIgnoreCase(nameOrUuid))
                .findFirst()
                .map(Instance::info);
    }

    InstanceInfo start(UUID instance, @Nullable StartupMode startup) throws VtpmException {
        Instance found = get(instance);
        found.start(startup);
        return found.info();
    }

    InstanceInfo stop(UUID instance) throws VtpmException {
        Instance found = get(instance);
        found.stop(true);
        return found.info();
    }

    InstanceInfo suspend(UUID instance) throws VtpmException {
        Instance found = get(instance);
        found.suspend();
        return found.info();
    }

    InstanceInfo resume(UUID instance) throws VtpmException {
        Instance found = get(instance);
        found.resume();
        return found.info();
    }

    InstanceInfo discard(UUID instance) throws VtpmException {
        Instance found = get(instance);
        found.discard();
        return found.info();
    }

    void delete(UUID instance, boolean force) throws VtpmException {
        Instance found = get(instance);
        if (found.info().state() == InstanceState.RUNNING && !force) {
            throw new VtpmException("instance '" + found.name() + "' runs; stop it first, or delete it with --force");
        }
        if (found.record().wanted() == Wanted.SUSPENDED && !force) {
            throw new VtpmException("instance '" + found.name()
                    + "' is suspended, and its guest may wait for it; delete it with --force all the same");
        }
        found.stop(false);
        try {
            services.store().delete(instance);
        } catch (IOException e) {
            throw new VtpmException("instance '" + found.name() + "' was not deleted: " + e.getMessage(), e);
        }
        instances.remove(instance);
        LOG.info("Instance {} deleted: {}", found.name(), instance);
    }

    InstanceInfo attach(UUID instance, URI endpoint) throws VtpmException {
        Instance found = get(instance);
        check(endpoint);
        synchronized (uniqueness) {
            free(endpoint);
            found.attach(endpoint);
        }
        return found.info();
    }

    InstanceInfo detach(UUID instance, URI endpoint) throws VtpmException {
        Instance found = get(instance);
        found.detach(endpoint);
        return found.info();
    }

    InstanceInfo useTransport(UUID instance, @Nullable String transport) throws VtpmException {
        Instance found = get(instance);
        boolean process = found.record().isolation() == Isolation.PROCESS;
        if (!services.hasTransport(transport, process)) {
            throw new VtpmException("no transport named '" + transport + "' can carry instance '" + found.name() + "'"
                    + (process ? ", whose engine is a process" : "") + "; there is " + services.transportNames());
        }
        found.useTransport(transport);
        return found.info();
    }

    List<StateSnapshot> stateSnapshots(UUID instance) throws VtpmException {
        Instance found = get(instance);
        try {
            return services.store().snapshots(instance);
        } catch (StateException e) {
            throw new VtpmException(
                    "the snapshots of instance '" + found.name() + "' cannot be read: " + e.getMessage(), e);
        }
    }

    void takeStateSnapshot(UUID instance, String name) throws VtpmException {
        Instance found = get(instance);
        try {
            services.store().takeSnapshot(instance, name);
        } catch (StateException e) {
            throw new VtpmException("no snapshot of instance '" + found.name() + "' was taken: " + e.getMessage(), e);
        }
        LOG.info("Snapshot {} of instance {} taken", name, found.name());
    }

    InstanceInfo restoreStateSnapshot(UUID instance, String name) throws VtpmException {
        Instance found = get(instance);
        found.restore(name);
        return found.info();
    }

    void dropStateSnapshot(UUID instance, String name) throws VtpmException {
        Instance found = get(instance);
        try {
            services.store().dropSnapshot(instance, name);
        } catch (StateException e) {
            throw new VtpmException("no snapshot of instance '" + found.name() + "' was dropped: " + e.getMessage(), e);
        }
        LOG.info("Snapshot {} of instance {} dropped", name, found.name());
    }

    Optional<EndorsementInfo> endorsement(UUID instance) throws VtpmException {
        return endorser.endorsement(get(instance).record());
    }

    AuthorityInfo authority() throws VtpmException {
        return endorser.authority();
    }

    /** An instance that has to be there. */
    Instance get(UUID instance) throws VtpmException {
        Instance found = instances.get(instance);
        if (found == null) {
            throw new VtpmException("there is no instance with UUID " + instance + "; vtpm:list shows those there are");
        }
        return found;
    }

    // Services that come and go

    /** Moves some instances to the transport and the engine that they should have now; completes when all have moved. */
    CompletableFuture<?> relink(Predicate<Instance> which) {
        return CompletableFuture.allOf(
                instances.values().stream().filter(which).map(Instance::relink).toArray(CompletableFuture[]::new));
    }
}
