package org.vtpm.api.fake;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
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
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.EndpointInfo;
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
 * A manager in memory. It remembers what it was ordered, and opens the endpoints of running instances at one handler, as the
 * real one does. Its TPMs add up the bytes behind the header of each command: {@link #STORE} to a sum that lasts, {@link
 * #EXTEND} to one that is lost with the power. The answer has that sum (4 bytes) and how often the TPM was started (4).
 */
public final class FakeManager implements VtpmManager {
    public static final int STORE = 1;
    public static final int EXTEND = 2;

    /** Added to an ordinal: the answer is put into {@link #slow}. */
    public static final int SLOW = 0x10;

    /** Added to an ordinal: the answer has as many bytes as one can have. */
    public static final int LONG = 0x20;

    private static final int LONGEST = 4096;
    private static final Instant LONG_AGO = Instant.parse("2026-01-02T03:04:05Z");

    /** What was ordered, as in {@code start demo STATE}, or {@code start demo} without a mode. */
    public final List<String> orders = new CopyOnWriteArrayList<>();

    /** Answers that the test gives when it likes. */
    public final Queue<Runnable> slow = new ConcurrentLinkedQueue<>();

    /** What {@link #create} was asked for last. */
    public volatile @Nullable NewInstance lastOrder;

    /** What {@link #importInstance} was given last. */
    public volatile @Nullable ForeignState lastState;

    /** What {@link #importBundle} was asked for last. */
    public volatile @Nullable BundleOrder lastBundle;

    /** Pass phrases of bundles, as they were at the time. */
    public final List<String> phrases = new ArrayList<>();

    /** Hosts that bundles were made for. */
    public final List<byte[]> hostKeys = new ArrayList<>();

    /** Names of snapshots, as if all instances had the same. */
    public final List<String> snapshots = new ArrayList<>();

    /** The endorsement of every instance. */
    public volatile @Nullable EndorsementInfo endorsement;

    /** The authority's certificate; none, if it is empty. */
    public volatile byte[] authority = {};

    /** Starts wait for this. */
    public volatile CompletableFuture<@Nullable Void> startsWhen = CompletableFuture.completedFuture(null);

    private final @Nullable EndpointHandler handler;
    private final Map<String, Instance> instances = new TreeMap<>();
    private final Map<String, String> refusals = new HashMap<>();

    /** A manager whose endpoints nobody serves. */
    public FakeManager() {
        this.handler = null;
    }

    /** A manager that opens the endpoints of a handler's schemes there. */
    public FakeManager(EndpointHandler handler) {
        this.handler = handler;
    }

    /**
     * A command for one of the TPMs.
     *
     * @param value added to the sum, 0 to 127
     */
    public static byte[] command(int ordinal, int value) {
        return ByteBuffer.allocate(14)
                .putShort((short) 0xC1)
                .putInt(14)
                .putInt(ordinal)
                .putInt(value)
                .array();
    }

    /** The sum in an answer. */
    public static int value(byte[] response) {
        ByteBuffer in = ByteBuffer.wrap(response);
        if (in.getInt(6) != 0) {
            throw new AssertionError("the TPM answered " + in.getInt(6));
        }
        return in.getInt(10);
    }

    /** One of its instances. */
    public final class Instance implements GuestChannel {
        private final List<Integer> localities = new CopyOnWriteArrayList<>();
        private final Map<URI, EndpointInfo> told = new HashMap<>();
        private InstanceRecord record;
        private InstanceState state = InstanceState.STOPPED;
        private @Nullable String reason;
        private long commands;
        private int starts;
        private int kept;
        private int forgotten;

        private Instance(InstanceRecord record) {
            this.record = record;
        }

        /** Where its commands came from, in their order. */
        public List<Integer> localities() {
            return localities;
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
        public CompletableFuture<byte[]> execute(int locality, byte[] command) {
            synchronized (FakeManager.this) {
                ByteBuffer in = ByteBuffer.wrap(command);
                if (in.getInt(2) != command.length) {
                    return CompletableFuture.failedFuture(new AssertionError("not one whole command"));
                }
                localities.add(locality);
                commands++;
                int ordinal = in.getInt(6);
                byte[] response = answer(ordinal, in.position(10));
                CompletableFuture<byte[]> future = new CompletableFuture<>();
                if ((ordinal & SLOW) != 0) {
                    slow.add(() -> future.complete(response));
                } else {
                    future.complete(response);
                }
                return future;
            }
        }

        private byte[] answer(int ordinal, ByteBuffer body) {
            int sum = 0;
            while (body.hasRemaining()) {
                sum += body.get();
            }
            int result = switch (ordinal & ~(SLOW | LONG)) {
                case STORE -> kept += sum;
                case EXTEND -> forgotten += sum;
                default -> 0;
            };
            int size = (ordinal & LONG) != 0 ? LONGEST : 18;
            return ByteBuffer.allocate(size)
                    .putShort((short) 0xC4)
                    .putInt(size)
                    .putInt(0)
                    .putInt(result)
                    .putInt(starts)
                    .array();
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

        private void run() {
            become(InstanceState.RUNNING, Wanted.RUNNING, null);
            record.endpoints().forEach(this::open);
        }

        private void rest(InstanceState next, Wanted wanted) {
            record.endpoints().forEach(this::close);
            become(next, wanted, null);
        }

        private void become(InstanceState next, Wanted wanted, @Nullable String why) {
            state = next;
            reason = why;
            change(wanted, record.endpoints());
        }

        private boolean isServed(URI endpoint) {
            return handler != null && handler.schemes().contains(endpoint.getScheme());
        }

        private void open(URI endpoint) {
            if (isServed(endpoint)) {
                try {
                    handler.open(endpoint, this);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        }

        private void close(URI endpoint) {
            if (isServed(endpoint)) {
                handler.close(endpoint);
            }
        }

        private InstanceInfo info() {
            return new InstanceInfo(
                    record,
                    state,
                    reason,
                    state == InstanceState.RUNNING ? "fifo" : null,
                    record.endpoints().stream()
                            .map(uri ->
                                    told.getOrDefault(uri, new EndpointInfo(uri, state == InstanceState.RUNNING, null)))
                            .toList(),
                    commands,
                    OptionalLong.empty());
        }
    }

    // What a test prepares

    /**
     * Adds an instance as if it had been there before, with seven commands answered, and without serving it. One that failed
     * for a reason cannot be started.
     */
    public synchronized InstanceInfo add(
            String name, InstanceState state, @Nullable String reason, EndpointInfo... endpoints) {
        Instance instance = put(
                name,
                null,
                StartupMode.CLEAR,
                Stream.of(endpoints).map(EndpointInfo::uri).toList());
        for (EndpointInfo endpoint : endpoints) {
            instance.told.put(endpoint.uri(), endpoint);
        }
        instance.commands = 7;
        instance.become(
                state,
                switch (state) {
                    case RUNNING -> Wanted.RUNNING;
                    case SUSPENDED -> Wanted.SUSPENDED;
                    default -> Wanted.STOPPED;
                },
                reason);
        return instance.info();
    }

    /** Adds an instance that is stopped. */
    public synchronized Instance add(String name, UUID uuid) {
        return put(name, uuid, StartupMode.CLEAR, List.of());
    }

    /** Adds an instance that runs as after a restart of the manager. */
    public synchronized Instance running(String name, URI endpoint) {
        Instance instance = put(name, null, StartupMode.CLEAR, List.of(endpoint));
        instance.starts++;
        instance.run();
        return instance;
    }

    /** An instance that is there. */
    public synchronized Instance instance(UUID uuid) {
        return instances.values().stream()
                .filter(each -> each.instance().equals(uuid))
                .findFirst()
                .orElseThrow();
    }

    public synchronized InstanceState state(UUID uuid) {
        return instance(uuid).state;
    }

    /** As when its engine died. */
    public synchronized void fail(String name) {
        Instance instance = instances.get(name);
        instance.become(InstanceState.FAILED, instance.record.wanted(), null);
    }

    /** As when the host lost power, and before the manager starts it again. */
    public synchronized void losePower(UUID uuid) {
        instance(uuid).rest(InstanceState.STOPPED, Wanted.RUNNING);
    }

    /** Lets {@code start}, {@code suspend} or {@code resume} fail from now on. */
    public synchronized void refuse(String order, String reason) {
        refusals.put(order, reason);
    }

    public synchronized void clear() {
        instances.clear();
    }

    private Instance put(String name, @Nullable UUID uuid, StartupMode startup, List<URI> endpoints) {
        Instance instance = new Instance(new InstanceRecord(
                uuid == null ? UUID.nameUUIDFromBytes(name.getBytes(UTF_8)) : uuid,
                name,
                TpmFamily.TPM_1_2,
                Isolation.SHARED,
                startup,
                null,
                endpoints,
                Wanted.STOPPED,
                LONG_AGO));
        instances.put(name, instance);
        return instance;
    }

    private void fails(String order, Instance instance, String what) throws VtpmException {
        String reason = refusals.get(order);
        if (reason != null) {
            throw new VtpmException("instance '" + instance.name() + "' was not " + what + ": " + reason);
        }
    }

    // What it is ordered

    @Override
    public synchronized InstanceInfo create(NewInstance order) throws VtpmException {
        if (instances.containsKey(order.name())
                || instances.values().stream().anyMatch(each -> each.instance().equals(order.uuid()))) {
            throw new VtpmException("There is an instance '" + order.name() + "' already");
        }
        lastOrder = order;
        orders.add("create " + order.name() + (order.endorsementKey() ? " with EK" : ""));
        Instance instance = put(order.name(), order.uuid(), order.startup(), order.endpoints());
        return order.endpoints().isEmpty() ? instance.info() : start(instance.instance(), null);
    }

    @Override
    public ImportedInstance importInstance(NewInstance order, ForeignState state) throws VtpmException {
        lastState = new ForeignState(
                state.format(), state.content().clone(), copy(state.key()), copy(state.migrationKey()));
        return new ImportedInstance(create(order), List.of("Its clock has no place here."));
    }

    private static ForeignState.@Nullable Key copy(ForeignState.@Nullable Key key) {
        return key == null
                ? null
                : new ForeignState.Key(key.form(), key.content().clone());
    }

    /** A bundle is a text that begins with what opens it. */
    @Override
    public synchronized byte[] exportInstance(UUID uuid, BundleRecipient recipient) throws VtpmException {
        String bundled = instance(uuid).name();
        if (recipient instanceof BundleRecipient.Passphrase passphrase) {
            phrases.add(new String(passphrase.phrase(), UTF_8));
            return ("PASSPHRASE " + bundled).getBytes(UTF_8);
        }
        byte[] key = ((BundleRecipient.Host) recipient).key();
        if (key.length != 44) {
            throw new VtpmException("the key is none that bundles can be made for");
        }
        hostKeys.add(key);
        return ("HOST " + bundled).getBytes(UTF_8);
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) {
        String content = new String(file, UTF_8);
        return Stream.of(BundleLock.values())
                .filter(lock -> content.startsWith(lock.name() + " "))
                .findFirst();
    }

    @Override
    public ImportedInstance importBundle(BundleOrder order, byte[] bundle, byte @Nullable [] passphrase)
            throws VtpmException {
        lastBundle = order;
        if (passphrase != null) {
            phrases.add(new String(passphrase, UTF_8));
        }
        String content = new String(bundle, UTF_8);
        String bundled = content.substring(content.indexOf(' ') + 1);
        NewInstance made = new NewInstance(
                order.name() == null ? bundled : order.name(),
                order.uuid(),
                TpmFamily.TPM_1_2,
                order.isolation(),
                StartupMode.CLEAR,
                false,
                false,
                order.endpoints());
        return new ImportedInstance(create(made), List.of("It is as it was exported."));
    }

    @Override
    public synchronized List<InstanceInfo> instances() {
        return instances.values().stream().map(Instance::info).toList();
    }

    @Override
    public synchronized Optional<InstanceInfo> find(UUID uuid) {
        return instances().stream()
                .filter(info -> info.record().uuid().equals(uuid))
                .findFirst();
    }

    @Override
    public synchronized Optional<InstanceInfo> find(String nameOrUuid) {
        return instances().stream()
                .filter(info -> info.record().name().equals(nameOrUuid)
                        || info.record().uuid().toString().equals(nameOrUuid))
                .findFirst();
    }

    @Override
    public InstanceInfo start(UUID uuid, @Nullable StartupMode startup) throws VtpmException {
        startsWhen.join();
        synchronized (this) {
            Instance instance = instance(uuid);
            if (instance.record.wanted() == Wanted.SUSPENDED) {
                throw new VtpmException(instance.name() + " is suspended");
            }
            if (instance.reason != null) {
                throw new VtpmException(instance.name() + " cannot be started: " + instance.reason);
            }
            orders.add("start " + instance.name() + (startup == null ? "" : " " + startup));
            try {
                fails("start", instance, "started");
            } catch (VtpmException e) {
                instance.become(InstanceState.FAILED, Wanted.RUNNING, e.getMessage());
                throw e;
            }
            if (instance.state != InstanceState.RUNNING) {
                instance.forgotten = 0;
                instance.commands = 0;
                instance.starts++;
                instance.run();
            }
            return instance.info();
        }
    }

    @Override
    public synchronized InstanceInfo stop(UUID uuid) {
        Instance instance = instance(uuid);
        orders.add("stop " + instance.name());
        instance.rest(InstanceState.STOPPED, Wanted.STOPPED);
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo suspend(UUID uuid) throws VtpmException {
        Instance instance = instance(uuid);
        if (instance.state != InstanceState.RUNNING) {
            throw new VtpmException(instance.name() + " does not run");
        }
        orders.add("suspend " + instance.name());
        fails("suspend", instance, "suspended");
        instance.rest(InstanceState.SUSPENDED, Wanted.SUSPENDED);
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo resume(UUID uuid) throws VtpmException {
        Instance instance = instance(uuid);
        if (instance.record.wanted() != Wanted.SUSPENDED) {
            throw new VtpmException(instance.name() + " is not suspended");
        }
        orders.add("resume " + instance.name());
        try {
            fails("resume", instance, "resumed");
        } catch (VtpmException e) {
            instance.become(InstanceState.FAILED, Wanted.SUSPENDED, e.getMessage());
            throw e;
        }
        instance.run();
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo discard(UUID uuid) {
        Instance instance = instance(uuid);
        orders.add("discard " + instance.name());
        instance.rest(InstanceState.STOPPED, Wanted.STOPPED);
        return instance.info();
    }

    @Override
    public synchronized void delete(UUID uuid, boolean force) throws VtpmException {
        Instance instance = instance(uuid);
        if (instance.state == InstanceState.RUNNING && !force) {
            throw new VtpmException(instance.name() + " runs; stop it first");
        }
        orders.add("delete " + instance.name());
        instance.rest(InstanceState.STOPPED, Wanted.STOPPED);
        instances.remove(instance.name());
    }

    @Override
    public synchronized InstanceInfo attach(UUID uuid, URI endpoint) throws VtpmException {
        for (Instance other : instances.values()) {
            if (other.record.endpoints().contains(endpoint)) {
                throw new VtpmException(endpoint + " belongs to instance '" + other.name() + "' already");
            }
        }
        Instance instance = instance(uuid);
        orders.add("attach " + endpoint);
        List<URI> uris = new ArrayList<>(instance.record.endpoints());
        uris.add(endpoint);
        instance.change(instance.record.wanted(), uris);
        if (instance.state == InstanceState.RUNNING) {
            instance.open(endpoint);
        }
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo detach(UUID uuid, URI endpoint) throws VtpmException {
        Instance instance = instance(uuid);
        List<URI> uris = new ArrayList<>(instance.record.endpoints());
        if (!uris.remove(endpoint)) {
            throw new VtpmException("instance '" + instance.name() + "' has no endpoint " + endpoint);
        }
        orders.add("detach " + endpoint);
        instance.change(instance.record.wanted(), uris);
        instance.close(endpoint);
        return instance.info();
    }

    @Override
    public synchronized InstanceInfo useTransport(UUID uuid, @Nullable String transport) {
        orders.add("transport " + transport);
        return instance(uuid).info();
    }

    @Override
    public synchronized List<StateSnapshot> stateSnapshots(UUID uuid) {
        return snapshots.stream()
                .map(name -> new StateSnapshot(name, LONG_AGO.plusMillis(600)))
                .toList();
    }

    @Override
    public synchronized void takeStateSnapshot(UUID uuid, String name) throws VtpmException {
        if (snapshots.contains(name)) {
            throw new VtpmException("there is a snapshot " + name + " already");
        }
        snapshots.add(name);
    }

    @Override
    public synchronized InstanceInfo restoreStateSnapshot(UUID uuid, String name) {
        orders.add("restore " + name);
        instance(uuid).rest(InstanceState.STOPPED, Wanted.STOPPED);
        return instance(uuid).info();
    }

    @Override
    public synchronized void dropStateSnapshot(UUID uuid, String name) {
        snapshots.remove(name);
    }

    @Override
    public synchronized Optional<EndorsementInfo> endorsement(UUID uuid) throws VtpmException {
        if (state(uuid) == InstanceState.FAILED) {
            throw new VtpmException("the endorsement cannot be read: damaged");
        }
        return Optional.ofNullable(endorsement);
    }

    @Override
    public AuthorityInfo authority() throws VtpmException {
        if (authority.length == 0) {
            throw new VtpmException("no certification authority is there");
        }
        return new AuthorityInfo("local", true, authority);
    }
}
