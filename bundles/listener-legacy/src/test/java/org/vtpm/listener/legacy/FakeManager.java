package org.vtpm.listener.legacy;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
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

/**
 * A manager whose TPMs know one command: each adds its body to a sum, which lasts, and answers the sum so far and how
 * often the TPM was started. Opens endpoints on the legacy listener as the real manager does.
 */
final class FakeManager implements VtpmManager {
    static final int ADD = 0x1234;

    /** Answered later, when the test says so. */
    static final int SLOW_ADD = 0x1235;

    /** Answered with as many bytes as a response can have. */
    static final int LONG_ADD = 0x1236;

    final LegacyEndpoints endpoints = new LegacyEndpoints();
    final Queue<Runnable> slow = new ConcurrentLinkedQueue<>();
    final List<String> journal = new ArrayList<>();

    /** Makes snapshots that can neither be taken nor used. */
    boolean snapshotsFail;

    private final Map<UUID, Instance> instances = new LinkedHashMap<>();

    final class Instance implements GuestChannel {
        final List<Integer> localities = Collections.synchronizedList(new ArrayList<>());
        private InstanceRecord record;
        private InstanceState state = InstanceState.STOPPED;
        private long commands;
        private int starts;
        private int sum;

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

        @Override
        public synchronized CompletableFuture<byte[]> execute(int locality, byte[] command) {
            ByteBuffer in = ByteBuffer.wrap(command);
            if (in.getInt(2) != command.length) {
                return CompletableFuture.failedFuture(new AssertionError("not one whole command"));
            }
            localities.add(locality);
            commands++;
            for (in.position(10); in.hasRemaining(); ) {
                sum += in.get();
            }
            int size = in.getInt(6) == LONG_ADD ? 4096 : 18;
            byte[] response = ByteBuffer.allocate(size)
                    .putShort((short) 0xC4)
                    .putInt(size)
                    .putInt(0)
                    .putInt(sum)
                    .putInt(starts)
                    .array();
            CompletableFuture<byte[]> future = new CompletableFuture<>();
            if (in.getInt(6) == SLOW_ADD) {
                slow.add(() -> future.complete(response));
            } else {
                future.complete(response);
            }
            return future;
        }

        private void want(Wanted wanted) {
            change(wanted, record.endpoints());
        }

        private void change(Wanted wanted, List<URI> endpoints) {
            record = new InstanceRecord(
                    record.uuid(),
                    record.name(),
                    record.family(),
                    record.isolation(),
                    record.startup(),
                    record.transport(),
                    endpoints,
                    wanted,
                    record.created());
        }

        private void openEndpoints() {
            for (URI endpoint : numbers()) {
                try {
                    endpoints.open(endpoint, this);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        }

        /** The endpoints that the fake serves. */
        private List<URI> numbers() {
            return record.endpoints().stream()
                    .filter(endpoint -> endpoint.getScheme().equals(LegacyEndpoints.SCHEME))
                    .toList();
        }

        private InstanceInfo info() {
            return new InstanceInfo(record, state, null, null, List.of(), commands, OptionalLong.empty());
        }
    }

    @Override
    public synchronized InstanceInfo create(NewInstance order) throws VtpmException {
        if (find(order.name()).isPresent()) {
            throw new VtpmException("there is an instance '" + order.name() + "' already");
        }
        journal.add("create " + order.name() + (order.endorsementKey() ? " with EK" : ""));
        Instance instance = new Instance(new InstanceRecord(
                UUID.randomUUID(),
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

    /** Makes an instance that runs as after a restart of the manager. */
    Instance resumed(String name, URI endpoint) throws VtpmException {
        UUID uuid = create(new NewInstance(
                        name, null, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, false, false, List.of(endpoint)))
                .record()
                .uuid();
        journal.clear();
        return instances.get(uuid);
    }

    @Override
    public ImportedInstance importInstance(NewInstance order, ForeignState state) {
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
    public synchronized InstanceInfo start(UUID uuid, StartupMode startup) throws VtpmException {
        Instance instance = instances.get(uuid);
        if (instance.record.wanted() == Wanted.SUSPENDED) {
            throw new VtpmException("it is suspended");
        }
        journal.add("start " + instance.name() + " " + (startup == null ? instance.record.startup() : startup));
        if (instance.state != InstanceState.RUNNING) {
            instance.state = InstanceState.RUNNING;
            instance.want(Wanted.RUNNING);
            instance.starts++;
            instance.commands = 0;
            instance.openEndpoints();
        }
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo stop(UUID uuid) {
        Instance instance = instances.get(uuid);
        journal.add("stop " + instance.name());
        instance.state = InstanceState.STOPPED;
        instance.want(Wanted.STOPPED);
        instance.numbers().forEach(endpoints::close);
        return instance.info();
    }

    /** As when its engine died. */
    synchronized void fail(String name) {
        instances.values().stream()
                .filter(instance -> instance.name().equals(name))
                .forEach(instance -> instance.state = InstanceState.FAILED);
    }

    @Override
    public synchronized InstanceInfo suspend(UUID uuid) throws VtpmException {
        Instance instance = instances.get(uuid);
        journal.add("suspend " + instance.name());
        if (snapshotsFail) {
            throw new VtpmException("no snapshot can be taken of it");
        }
        instance.state = InstanceState.SUSPENDED;
        instance.want(Wanted.SUSPENDED);
        instance.numbers().forEach(endpoints::close);
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo resume(UUID uuid) throws VtpmException {
        Instance instance = instances.get(uuid);
        journal.add("resume " + instance.name());
        if (snapshotsFail) {
            instance.state = InstanceState.FAILED;
            throw new VtpmException("its snapshot cannot be used");
        }
        instance.state = InstanceState.RUNNING;
        instance.want(Wanted.RUNNING);
        instance.openEndpoints();
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo discard(UUID uuid) {
        Instance instance = instances.get(uuid);
        journal.add("discard " + instance.name());
        instance.state = InstanceState.STOPPED;
        instance.want(Wanted.STOPPED);
        return instance.info();
    }

    @Override
    public synchronized void delete(UUID uuid, boolean force) throws VtpmException {
        Instance instance = instances.get(uuid);
        if (instance.state == InstanceState.RUNNING && !force) {
            throw new VtpmException("it runs");
        }
        journal.add("delete " + instance.name());
        instance.numbers().forEach(endpoints::close);
        instances.remove(uuid);
    }

    @Override
    public synchronized InstanceInfo attach(UUID uuid, URI endpoint) {
        Instance instance = instances.get(uuid);
        journal.add("attach " + endpoint);
        List<URI> all = new ArrayList<>(instance.record.endpoints());
        all.add(endpoint);
        instance.change(instance.record.wanted(), all);
        return instance.info();
    }

    @Override
    public InstanceInfo detach(UUID instance, URI endpoint) {
        throw new UnsupportedOperationException();
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
    public Optional<EndorsementInfo> endorsement(UUID instance) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AuthorityInfo authority() {
        throw new UnsupportedOperationException();
    }
}
