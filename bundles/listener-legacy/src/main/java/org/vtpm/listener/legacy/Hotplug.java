package org.vtpm.listener.legacy;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;

/**
 * Carries out what the hotplug scripts order. The number of an instance is its endpoint {@code legacy:N}; an instance
 * that an order makes is named {@code vtpm-N}. Used by one thread.
 *
 * <p>CLOSE does not say whether its guest was shut down or suspended; the next OPEN does. So CLOSE suspends the TPM, OPEN to
 * resume lets it go on, and every other OPEN is the loss of power that it missed.
 */
final class Hotplug {
    private static final Logger LOG = LoggerFactory.getLogger(Hotplug.class);

    private final VtpmManager manager;

    /** Instances that run because of an OPEN, and not because they ran when the manager ended. */
    private final Set<UUID> opened = new HashSet<>();

    Hotplug(VtpmManager manager) {
        this.manager = manager;
    }

    /** Carries one order out, however long it takes. */
    TpmError carryOut(ConsoleOrder.OfInstance order) {
        try {
            TpmError result;
            if (order instanceof ConsoleOrder.Open open) {
                result = open(open);
            } else if (order instanceof ConsoleOrder.Close) {
                result = close(order.instance());
            } else {
                result = delete(order.instance());
            }
            LOG.info("Hotplug: {}: {}", order, result);
            return result;
        } catch (VtpmException e) {
            LOG.error("Hotplug: {} failed: {}", order, e.getMessage());
            return TpmError.FAIL;
        }
    }

    /** Refuses an order of a migration, and says what to do instead. */
    TpmError refuse(ConsoleOrder.Migration order) {
        LOG.warn(
                "Hotplug: {} refused: a TPM does not move while its guest runs. Shut the guest down, move its TPM with"
                        + " vtpm:export and vtpm:import, and boot the guest there",
                order);
        return TpmError.DISABLED_CMD;
    }

    private TpmError open(ConsoleOrder.Open order) throws VtpmException {
        boolean hvm = order.vmType() == ConsoleOrder.VmType.HVM;
        if (hvm && order.instance() > HvmPrefix.MAX_INSTANCE) {
            LOG.error(
                    "Guest {} is an HVM guest: their numbers are at most {}, beside the locality",
                    order.instance(),
                    HvmPrefix.MAX_INSTANCE);
            return TpmError.BAD_PARAMETER;
        }
        Optional<InstanceInfo> known = find(order.instance());
        if (known.isEmpty()) {
            return create(order);
        }
        InstanceInfo instance = known.get();
        UUID uuid = instance.record().uuid();
        if (instance.state() == InstanceState.RUNNING || instance.state() == InstanceState.STARTING) {
            if (opened.contains(uuid) || instance.commands() > 0) {
                LOG.warn("Guest {} is connected already: its TPM runs on undisturbed", order.instance());
                return TpmError.BAD_PARAMETER;
            }
            // It was resumed with the manager, before the guest that is being connected now.
            manager.stop(uuid);
        }
        URI socket = HvmSockets.endpoint(order.instance());
        if (hvm && !instance.record().endpoints().contains(socket)) {
            manager.attach(uuid, socket);
        }
        powerOn(instance, order.startup());
        opened.add(uuid);
        return TpmError.SUCCESS;
    }

    private void powerOn(InstanceInfo instance, StartupMode startup) throws VtpmException {
        UUID uuid = instance.record().uuid();
        boolean suspended = instance.record().wanted() == Wanted.SUSPENDED;
        if (suspended && startup == StartupMode.STATE) {
            manager.resume(uuid);
            return;
        }
        if (suspended) {
            manager.discard(uuid);
        }
        manager.start(uuid, startup);
    }

    private TpmError create(ConsoleOrder.Open order) throws VtpmException {
        if (order.startup() == StartupMode.STATE) {
            LOG.error(
                    "Guest {} is to be resumed, but no instance has the endpoint legacy:{}. It gets no TPM rather than a"
                            + " new one; attach the right instance with vtpm:attach",
                    order.instance(),
                    order.instance());
            return TpmError.BAD_PARAMETER;
        }
        List<URI> endpoints = new ArrayList<>(List.of(LegacyEndpoints.endpoint(order.instance())));
        if (order.vmType() == ConsoleOrder.VmType.HVM) {
            endpoints.add(HvmSockets.endpoint(order.instance()));
        }
        // The endorsement key is made with it, as the original's vtpmd did: its guests expect to find one.
        UUID uuid = manager.create(new NewInstance(
                        "vtpm-" + order.instance(),
                        null,
                        TpmFamily.TPM_1_2,
                        null,
                        StartupMode.CLEAR,
                        true,
                        true,
                        endpoints))
                .record()
                .uuid();
        if (order.startup() != StartupMode.CLEAR) {
            manager.stop(uuid);
            manager.start(uuid, order.startup());
        }
        opened.add(uuid);
        return TpmError.SUCCESS;
    }

    private TpmError close(long number) throws VtpmException {
        Optional<InstanceInfo> known = find(number);
        if (known.isEmpty()) {
            return TpmError.BAD_PARAMETER;
        }
        InstanceInfo instance = known.get();
        UUID uuid = instance.record().uuid();
        if (instance.state() == InstanceState.STOPPED || instance.state() == InstanceState.SUSPENDED) {
            return TpmError.BAD_PARAMETER;
        }
        if (instance.record().wanted() != Wanted.SUSPENDED && !suspend(instance)) {
            manager.stop(uuid);
        }
        opened.remove(uuid);
        return TpmError.SUCCESS;
    }

    private boolean suspend(InstanceInfo instance) {
        if (instance.state() != InstanceState.RUNNING) {
            return false;
        }
        try {
            manager.suspend(instance.record().uuid());
            return true;
        } catch (VtpmException e) {
            LOG.warn(
                    "Instance {} is stopped and not suspended: {}. If its guest is resumed, its TPM has only what TPM_SaveState"
                            + " saved",
                    instance.record().name(),
                    e.getMessage());
            return false;
        }
    }

    private TpmError delete(long number) throws VtpmException {
        Optional<InstanceInfo> known = find(number);
        if (known.isEmpty()) {
            return TpmError.BAD_PARAMETER;
        }
        UUID uuid = known.get().record().uuid();
        manager.delete(uuid, true);
        opened.remove(uuid);
        return TpmError.SUCCESS;
    }

    private Optional<InstanceInfo> find(long number) {
        URI endpoint = LegacyEndpoints.endpoint(number);
        return manager.instances().stream()
                .filter(instance -> instance.record().endpoints().contains(endpoint))
                .findFirst();
    }
}
