package org.vtpm.listener.xen;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.AuthorityInfo;
import org.vtpm.api.manager.BundleOrder;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.StateSnapshot;

/** A manager whose TPMs have one number that they keep and one that they forget when they are powered off. */
final class TestManager implements VtpmManager {
    static final int EXTEND = 1;
    static final int STORE = 2;
    /** Answered when the test says so. */
    static final int SLOW = 3;

    final XenEndpoints endpoints = new XenEndpoints();
    final Queue<Runnable> slow = new ConcurrentLinkedQueue<>();
    private final Map<UUID, Instance> instances = new LinkedHashMap<>();
    volatile boolean refusesToStart;
    volatile CompletableFuture<Void> startsWhen = CompletableFuture.completedFuture(null);

    static byte[] command(int ordinal, int value) {
        return ByteBuffer.allocate(14)
                .putShort((short) 0xC1)
                .putInt(14)
                .putInt(ordinal)
                .putInt(value)
                .array();
    }

    static int value(byte[] response) {
        ByteBuffer in = ByteBuffer.wrap(response);
        if (in.getInt(6) != 0) {
            throw new AssertionError("the TPM answered " + in.getInt(6));
        }
        return in.getInt(10);
    }

    final class Instance implements GuestChannel {
        private InstanceRecord record;
        private InstanceState state = InstanceState.STOPPED;
        private long commands;
        private int kept;
        private int forgotten;
        private int locality;

        private Instance(InstanceRecord record) {
            this.record = record;
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

        int locality() {
            return locality;
        }

        @Override
        public CompletableFuture<byte[]> execute(int fromLocality, byte[] command) {
            synchronized (TestManager.this) {
                ByteBuffer in = ByteBuffer.wrap(command);
                if (in.getInt(2) != command.length) {
                    return CompletableFuture.failedFuture(new AssertionError("not one whole command"));
                }
                locality = fromLocality;
                commands++;
                int value = command.length < 14 ? 0 : in.getInt(10);
                int result = switch (in.getInt(6)) {
                    case STORE -> kept += value;
                    case EXTEND, SLOW -> forgotten += value;
                    default -> 0;
                };
                byte[] response = ByteBuffer.allocate(14)
                        .putShort((short) 0xC4)
                        .putInt(14)
                        .putInt(0)
                        .putInt(result)
                        .array();
                CompletableFuture<byte[]> future = new CompletableFuture<>();
                if (in.getInt(6) == SLOW) {
                    slow.add(() -> future.complete(response));
                } else {
                    future.complete(response);
                }
                return future;
            }
        }

        private InstanceInfo info() {
            return new InstanceInfo(record, state, null, null, List.of(), commands, OptionalLong.empty());
        }

        private void endpoints(List<URI> uris) {
            record = new InstanceRecord(
                    record.uuid(),
                    record.name(),
                    record.family(),
                    record.isolation(),
                    record.startup(),
                    record.transport(),
                    uris,
                    record.wanted(),
                    record.created());
        }

        private void want(Wanted wanted) {
            record = new InstanceRecord(
                    record.uuid(),
                    record.name(),
                    record.family(),
                    record.isolation(),
                    record.startup(),
                    record.transport(),
                    record.endpoints(),
                    wanted,
                    record.created());
        }

        private void open(URI endpoint) {
            try {
                endpoints.open(endpoint, this);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public synchronized InstanceInfo create(NewInstance order) throws VtpmException {
        if (instances.containsKey(order.uuid()) || find(order.name()).isPresent()) {
            throw new VtpmException("there is an instance '" + order.name() + "' already");
        }
        Instance instance = new Instance(new InstanceRecord(
                order.uuid(),
                order.name(),
                order.family(),
                Isolation.SHARED,
                order.startup(),
                null,
                order.endpoints(),
                Wanted.STOPPED,
                Instant.EPOCH));
        instances.put(instance.instance(), instance);
        return order.endpoints().isEmpty() ? instance.info() : start(instance.instance(), null);
    }

    Instance add(String name, UUID uuid) throws VtpmException {
        create(new NewInstance(name, uuid, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, true, true, List.of()));
        return instance(uuid);
    }

    synchronized Instance instance(UUID uuid) {
        return instances.get(uuid);
    }

    synchronized InstanceState state(UUID uuid) {
        return instances.get(uuid).state;
    }

    @Override
    public ImportedInstance importInstance(NewInstance order, ForeignState state) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized List<InstanceInfo> instances() {
        return instances.values().stream().map(Instance::info).toList();
    }

    @Override
    public synchronized Optional<InstanceInfo> find(UUID instance) {
        return Optional.ofNullable(instances.get(instance)).map(Instance::info);
    }

    @Override
    public synchronized Optional<InstanceInfo> find(String nameOrUuid) {
        return instances().stream()
                .filter(info -> info.record().name().equals(nameOrUuid))
                .findFirst();
    }

    @Override
    public InstanceInfo start(UUID uuid, StartupMode startup) throws VtpmException {
        startsWhen.join();
        synchronized (this) {
            Instance instance = instances.get(uuid);
            instance.want(Wanted.RUNNING);
            if (refusesToStart) {
                instance.state = InstanceState.FAILED;
                throw new VtpmException("instance '" + instance.name() + "' was not started: its state is damaged");
            }
            if (instance.state != InstanceState.RUNNING) {
                instance.forgotten = 0;
                instance.commands = 0;
                run(instance);
            }
            return instance.info();
        }
    }

    private void run(Instance instance) {
        instance.state = InstanceState.RUNNING;
        instance.record.endpoints().forEach(instance::open);
    }

    @Override
    public synchronized InstanceInfo stop(UUID uuid) {
        Instance instance = instances.get(uuid);
        instance.want(Wanted.STOPPED);
        instance.record.endpoints().forEach(endpoints::close);
        instance.state = InstanceState.STOPPED;
        return instance.info();
    }

    /** As after a restart of the manager. */
    synchronized void losePower(UUID uuid) {
        stop(uuid);
        instances.get(uuid).want(Wanted.RUNNING);
    }

    @Override
    public synchronized InstanceInfo suspend(UUID uuid) {
        Instance instance = instances.get(uuid);
        stop(uuid);
        instance.want(Wanted.SUSPENDED);
        instance.state = InstanceState.SUSPENDED;
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo resume(UUID uuid) {
        instances.get(uuid).want(Wanted.RUNNING);
        run(instances.get(uuid));
        return instances.get(uuid).info();
    }

    @Override
    public InstanceInfo discard(UUID instance) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized void delete(UUID uuid, boolean force) {
        stop(uuid);
        instances.remove(uuid);
    }

    @Override
    public synchronized InstanceInfo attach(UUID uuid, URI endpoint) throws VtpmException {
        for (Instance other : instances.values()) {
            if (other.record.endpoints().contains(endpoint)) {
                throw new VtpmException(endpoint + " belongs to instance '" + other.name() + "' already");
            }
        }
        Instance instance = instances.get(uuid);
        List<URI> uris = new ArrayList<>(instance.record.endpoints());
        uris.add(endpoint);
        instance.endpoints(uris);
        if (instance.state == InstanceState.RUNNING) {
            instance.open(endpoint);
        }
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo detach(UUID uuid, URI endpoint) throws VtpmException {
        Instance instance = instances.get(uuid);
        List<URI> uris = new ArrayList<>(instance.record.endpoints());
        if (!uris.remove(endpoint)) {
            throw new VtpmException("instance '" + instance.name() + "' has no endpoint " + endpoint);
        }
        instance.endpoints(uris);
        endpoints.close(endpoint);
        return instance.info();
    }

    @Override
    public InstanceInfo useTransport(UUID instance, String transport) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<StateSnapshot> stateSnapshots(UUID instance) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void takeStateSnapshot(UUID instance, String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public InstanceInfo restoreStateSnapshot(UUID instance, String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void dropStateSnapshot(UUID instance, String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] exportInstance(UUID instance, BundleRecipient recipient) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ImportedInstance importBundle(BundleOrder order, byte[] bundle, byte @Nullable [] passphrase) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<EndorsementInfo> endorsement(UUID instance) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AuthorityInfo authority() {
        throw new UnsupportedOperationException();
    }
}
