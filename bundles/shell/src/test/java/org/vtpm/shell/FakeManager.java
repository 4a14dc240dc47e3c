package org.vtpm.shell;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
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
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.StateSnapshot;

/** A manager in memory that remembers what the shell ordered. */
final class FakeManager implements VtpmManager {
    final Map<String, InstanceInfo> instances = new TreeMap<>();
    final List<String> orders = new ArrayList<>();

    @Nullable
    NewInstance lastOrder;

    @Nullable
    EndorsementInfo endorsement;

    byte[] authority = {};

    /** Names of snapshots, as if all instances had the same. */
    final List<String> snapshots = new ArrayList<>();

    @Nullable
    ForeignState lastState;

    @Nullable
    BundleOrder lastBundle;

    /** Pass phrases of bundles, as they were at the time. */
    final List<String> phrases = new ArrayList<>();

    final List<byte[]> hostKeys = new ArrayList<>();

    /** Adds an instance as if it had been there before. */
    InstanceInfo add(String name, InstanceState state, @Nullable String reason, EndpointInfo... endpoints) {
        InstanceRecord instanceRecord = new InstanceRecord(
                UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)),
                name,
                TpmFamily.TPM_1_2,
                Isolation.SHARED,
                StartupMode.CLEAR,
                null,
                List.of(endpoints).stream().map(EndpointInfo::uri).toList(),
                wanted(state),
                Instant.parse("2026-01-02T03:04:05Z"));
        InstanceInfo info = new InstanceInfo(
                instanceRecord,
                state,
                reason,
                state == InstanceState.RUNNING ? "fifo" : null,
                List.of(endpoints),
                7,
                OptionalLong.empty());
        instances.put(name, info);
        return info;
    }

    private static Wanted wanted(InstanceState state) {
        return switch (state) {
            case RUNNING -> Wanted.RUNNING;
            case SUSPENDED -> Wanted.SUSPENDED;
            default -> Wanted.STOPPED;
        };
    }

    @Override
    public InstanceInfo create(NewInstance order) throws VtpmException {
        if (instances.containsKey(order.name())) {
            throw new VtpmException("There is an instance '" + order.name() + "' already");
        }
        lastOrder = order;
        InstanceState state = order.endpoints().isEmpty() ? InstanceState.STOPPED : InstanceState.RUNNING;
        return add(
                order.name(),
                state,
                null,
                order.endpoints().stream()
                        .map(uri -> new EndpointInfo(uri, true, null))
                        .toArray(EndpointInfo[]::new));
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
    public byte[] exportInstance(UUID instance, BundleRecipient recipient) throws VtpmException {
        String bundled = find(instance).orElseThrow().record().name();
        if (recipient instanceof BundleRecipient.Passphrase passphrase) {
            phrases.add(new String(passphrase.phrase(), StandardCharsets.UTF_8));
            return ("PASSPHRASE " + bundled).getBytes(StandardCharsets.UTF_8);
        }
        byte[] key = ((BundleRecipient.Host) recipient).key();
        if (key.length != 44) {
            throw new VtpmException("the key is none that bundles can be made for");
        }
        hostKeys.add(key);
        return ("HOST " + bundled).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Optional<BundleLock> bundleLock(byte[] file) {
        String content = new String(file, StandardCharsets.UTF_8);
        return Stream.of(BundleLock.values())
                .filter(lock -> content.startsWith(lock.name() + " "))
                .findFirst();
    }

    @Override
    public ImportedInstance importBundle(BundleOrder order, byte[] bundle, byte @Nullable [] passphrase)
            throws VtpmException {
        lastBundle = order;
        if (passphrase != null) {
            phrases.add(new String(passphrase, StandardCharsets.UTF_8));
        }
        String content = new String(bundle, StandardCharsets.UTF_8);
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
    public List<InstanceInfo> instances() {
        return List.copyOf(instances.values());
    }

    @Override
    public Optional<InstanceInfo> find(UUID instance) {
        return instances.values().stream()
                .filter(info -> info.record().uuid().equals(instance))
                .findFirst();
    }

    @Override
    public Optional<InstanceInfo> find(String nameOrUuid) {
        return Optional.ofNullable(instances.get(nameOrUuid));
    }

    @Override
    public InstanceInfo start(UUID instance, @Nullable StartupMode startup) throws VtpmException {
        InstanceInfo info = find(instance).orElseThrow();
        if (info.state() == InstanceState.FAILED) {
            throw new VtpmException(info.record().name() + " cannot be started: " + info.reason());
        }
        orders.add("start " + info.record().name() + " " + startup);
        return add(info.record().name(), InstanceState.RUNNING, null);
    }

    @Override
    public InstanceInfo stop(UUID instance) {
        InstanceInfo info = find(instance).orElseThrow();
        orders.add("stop " + info.record().name());
        return add(info.record().name(), InstanceState.STOPPED, null);
    }

    @Override
    public InstanceInfo suspend(UUID instance) throws VtpmException {
        InstanceInfo info = find(instance).orElseThrow();
        if (info.state() != InstanceState.RUNNING) {
            throw new VtpmException(info.record().name() + " does not run");
        }
        orders.add("suspend " + info.record().name());
        return add(info.record().name(), InstanceState.SUSPENDED, null);
    }

    @Override
    public InstanceInfo resume(UUID instance) throws VtpmException {
        InstanceInfo info = find(instance).orElseThrow();
        if (info.state() != InstanceState.SUSPENDED) {
            throw new VtpmException(info.record().name() + " is not suspended");
        }
        orders.add("resume " + info.record().name());
        return add(info.record().name(), InstanceState.RUNNING, null);
    }

    @Override
    public InstanceInfo discard(UUID instance) {
        InstanceInfo info = find(instance).orElseThrow();
        orders.add("discard " + info.record().name());
        return add(info.record().name(), InstanceState.STOPPED, null);
    }

    @Override
    public void delete(UUID instance, boolean force) throws VtpmException {
        InstanceInfo info = find(instance).orElseThrow();
        if (info.state() == InstanceState.RUNNING && !force) {
            throw new VtpmException(info.record().name() + " runs; stop it first");
        }
        orders.add("delete " + info.record().name());
        instances.remove(info.record().name());
    }

    @Override
    public InstanceInfo attach(UUID instance, URI endpoint) {
        orders.add("attach " + endpoint);
        return find(instance).orElseThrow();
    }

    @Override
    public InstanceInfo detach(UUID instance, URI endpoint) {
        orders.add("detach " + endpoint);
        return find(instance).orElseThrow();
    }

    @Override
    public InstanceInfo useTransport(UUID instance, @Nullable String transport) {
        orders.add("transport " + Objects.toString(transport));
        return find(instance).orElseThrow();
    }

    @Override
    public List<StateSnapshot> stateSnapshots(UUID instance) {
        return snapshots.stream()
                .map(name -> new StateSnapshot(name, Instant.parse("2026-01-02T03:04:05.6Z")))
                .toList();
    }

    @Override
    public void takeStateSnapshot(UUID instance, String name) throws VtpmException {
        if (snapshots.contains(name)) {
            throw new VtpmException("there is a snapshot " + name + " already");
        }
        snapshots.add(name);
    }

    @Override
    public InstanceInfo restoreStateSnapshot(UUID instance, String name) {
        orders.add("restore " + name);
        return add(find(instance).orElseThrow().record().name(), InstanceState.STOPPED, null);
    }

    @Override
    public void dropStateSnapshot(UUID instance, String name) {
        snapshots.remove(name);
    }

    @Override
    public Optional<EndorsementInfo> endorsement(UUID instance) throws VtpmException {
        if (find(instance).orElseThrow().state() == InstanceState.FAILED) {
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
