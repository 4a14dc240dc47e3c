package org.vtpm.manager;

import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.ConvertedState;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.BundleOrder;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.api.storage.StateException;

/** Takes instances in from other programs and other hosts, and seals them for other hosts. */
final class Transfers {
    private static final Logger LOG = LoggerFactory.getLogger(Transfers.class);

    private final Services services;
    private final InstanceRegistry registry;

    Transfers(Services services, InstanceRegistry registry) {
        this.services = services;
        this.registry = registry;
    }

    ImportedInstance importInstance(NewInstance order, ForeignState state) throws VtpmException {
        List<String> notes = new ArrayList<>();
        InstanceInfo created = registry.create(order, registry.noPast("imported"), factory -> {
            try {
                ConvertedState converted = factory.convert(state);
                notes.addAll(converted.notes());
                return Map.of(StateKind.PERMANENT, converted.permanent());
            } catch (EngineStateException e) {
                throw new VtpmException("instance '" + order.name() + "' was not created: " + e.getMessage(), e);
            }
        });
        return new ImportedInstance(created, notes);
    }

    byte[] exportInstance(UUID instance, BundleRecipient recipient) throws VtpmException {
        Instance found = registry.get(instance);
        InstanceInfo now = found.info();
        if (now.state() == InstanceState.FAILED) {
            throw new VtpmException("instance '" + found.name() + "' was not exported, it has failed: " + now.reason()
                    + ". To export what is durable all the same, vtpm:stop it first");
        }
        try {
            byte[] bundle = services.store().export(instance, recipient);
            LOG.info("Instance {} exported: {}", found.name(), instance);
            return bundle;
        } catch (StateException e) {
            throw new VtpmException("instance '" + found.name() + "' was not exported: " + e.getMessage(), e);
        }
    }

    Optional<BundleLock> bundleLock(byte[] file) throws VtpmException {
        try {
            return services.store().bundleLock(file);
        } catch (StateException e) {
            throw notImported(e);
        }
    }

    ImportedInstance importBundle(BundleOrder order, byte[] bundle, byte @Nullable [] passphrase) throws VtpmException {
        InstanceBundle opened;
        try {
            opened = services.store().openBundle(bundle, passphrase);
        } catch (StateException e) {
            throw notImported(e);
        }
        try {
            InstanceRecord before = opened.record();
            NewInstance merged = new NewInstance(
                    order.name() == null ? before.name() : order.name(),
                    order.uuid() == null ? before.uuid() : order.uuid(),
                    before.family(),
                    order.isolation() == null ? before.isolation() : order.isolation(),
                    order.startup() == null ? before.startup() : order.startup(),
                    false,
                    false,
                    order.endpoints());
            boolean known = services.hasTransport(before.transport(), merged.isolation() == Isolation.PROCESS);
            InstanceRegistry.Past past =
                    new InstanceRegistry.Past("imported", known ? before.transport() : null, before.created());
            InstanceInfo created = registry.create(merged, past, factory -> tried(factory, merged, opened.state()));
            return new ImportedInstance(created, notes(opened, known));
        } finally {
            opened.state().values().forEach(part -> Arrays.fill(part, (byte) 0));
        }
    }

    private static VtpmException notImported(StateException e) {
        return new VtpmException("no instance was imported: " + e.getMessage(), e);
    }

    /** Opens a state once, so that nothing is taken in that would not run. */
    private static Map<StateKind, byte[]> tried(EngineFactory factory, NewInstance order, Map<StateKind, byte[]> state)
            throws VtpmException {
        try {
            factory.open(state).close();
            return state;
        } catch (EngineStateException e) {
            throw new VtpmException(
                    "instance '" + order.name() + "' was not created, no engine here takes its state: "
                            + e.getMessage(),
                    e);
        }
    }

    /** What of an instance did not come along with its bundle. */
    private static List<String> notes(InstanceBundle bundle, boolean transportKnown) {
        InstanceRecord before = bundle.record();
        List<String> notes = new ArrayList<>();
        notes.add("It is as it was exported at " + bundle.exported() + ", after a loss of power.");
        if (before.wanted() == Wanted.SUSPENDED) {
            notes.add("What it was doing when it was suspended is not in the bundle.");
        }
        if (!before.endpoints().isEmpty()) {
            // In ASCII: whoever made the bundle is not trusted with an operator's terminal.
            notes.add("Its endpoints are not taken over: "
                    + before.endpoints().stream().map(URI::toASCIIString).collect(Collectors.joining(", ")) + ".");
        }
        if (!transportKnown) {
            notes.add("The transport that was chosen for it is not here: the host's default carries it.");
        }
        return notes;
    }
}
