package org.vtpm.listener.xen;

import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
 * Turns instances on and off with their guests. The endpoint {@code xen:DOMAIN/DEVICE} of an instance remembers, also over
 * a restart, which guest it was powered on for.
 */
final class InstancePower implements TpmDesk.Power {
    private static final Logger LOG = LoggerFactory.getLogger(InstancePower.class);

    private static final int MAX_NAME = 64;

    private final VtpmManager manager;
    private final Stubdoms stubdoms;
    private final Settings settings;

    InstancePower(VtpmManager manager, Stubdoms stubdoms, Settings settings) {
        this.manager = manager;
        this.stubdoms = stubdoms;
        this.settings = settings;
    }

    @Override
    public TpmDesk.Outcome on(DeviceId device, DeviceEffects.Claim claim, String guest) {
        try {
            Optional<InstanceInfo> known = manager.find(claim.tpm());
            if (settings.isStubdom(claim.tpm())) {
                return admit(known, device, claim, guest);
            }
            InstanceInfo instance =
                    known.isPresent() ? turnOn(known.get(), device, claim, guest) : create(device, claim, guest);
            return new TpmDesk.Granted(instance.record().family());
        } catch (VtpmException | RuntimeException e) {
            LOG.debug("No vTPM for {}", device, e);
            return new TpmDesk.Denied(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void off(UUID tpm, DeviceId device) {
        try {
            Optional<InstanceInfo> instance = manager.find(tpm);
            if (instance.isPresent()) {
                leave(instance.get(), device);
            }
        } catch (VtpmException | RuntimeException e) {
            LOG.error("Instance {} could not be powered off after its guest {}: {}", tpm, device, e.getMessage());
        }
    }

    @Override
    public TpmDesk.Outcome move(UUID tpm, DeviceId from, DeviceId to) {
        if (settings.isStubdom(tpm)) {
            return new TpmDesk.Granted(TpmFamily.TPM_1_2);
        }
        try {
            manager.detach(tpm, from.endpoint());
            InstanceInfo instance = manager.attach(tpm, to.endpoint());
            LOG.info(
                    "Instance {} goes on with its guest, from {} to {}",
                    instance.record().name(),
                    from,
                    to);
            return new TpmDesk.Granted(instance.record().family());
        } catch (VtpmException | RuntimeException e) {
            LOG.error("Instance {} could not go on with its guest from {} to {}: {}", tpm, from, to, e.getMessage());
            return new TpmDesk.Denied(String.valueOf(e.getMessage()));
        }
    }

    /** Powers off what guests left behind that went while nobody was here to see it. */
    void offAllBut(Collection<DeviceId> present) {
        for (InstanceInfo instance : manager.instances()) {
            for (DeviceId device : devices(instance)) {
                if (!present.contains(device)) {
                    LOG.info(
                            "Instance {} is powered off: its guest {} has gone",
                            instance.record().name(),
                            device);
                    off(instance.record().uuid(), device);
                }
            }
        }
    }

    /**
     * Lets in a domain that is a TPM itself. Not while nobody can give it its key, for then it would make a new TPM; one that
     * goes on has it.
     */
    private TpmDesk.Outcome admit(
            Optional<InstanceInfo> namesake, DeviceId device, DeviceEffects.Claim claim, String guest)
            throws VtpmException {
        if (namesake.isPresent()) {
            throw new VtpmException("the setting stubdoms of " + XenListener.PID + " has its uuid " + claim.tpm()
                    + ", which is that of instance '" + namesake.get().record().name()
                    + "'; take it off the list, or give the TPM another");
        }
        if (!claim.resumed() && !stubdoms.served()) {
            throw new VtpmException(Stubdoms.UNSERVED);
        }
        vacate(device, claim.tpm());
        LOG.info("Guest {} ({}) is vTPM {} itself, and has its key here", guest, device, claim.tpm());
        return new TpmDesk.Granted(TpmFamily.TPM_1_2);
    }

    private InstanceInfo turnOn(InstanceInfo instance, DeviceId device, DeviceEffects.Claim claim, String guest)
            throws VtpmException {
        UUID uuid = instance.record().uuid();
        String name = instance.record().name();
        List<DeviceId> before = devices(instance);
        if (claim.resumed() && before.contains(device)) {
            LOG.info("Instance {} goes on with guest {} ({})", name, guest, device);
            // After a restart of the manager it may not be on yet; a guest must not be served before it is.
            return instance.record().wanted() == Wanted.RUNNING ? manager.start(uuid, null) : instance;
        }
        for (DeviceId other : before) {
            if (!other.equals(device)) {
                manager.detach(uuid, other.endpoint());
            }
        }
        vacate(device, uuid);
        InstanceInfo now = before.contains(device) ? instance : manager.attach(uuid, device.endpoint());
        try {
            return turnOn(now, device, guest);
        } catch (VtpmException e) {
            manager.detach(uuid, device.endpoint());
            throw e;
        }
    }

    private InstanceInfo turnOn(InstanceInfo now, DeviceId device, String guest) throws VtpmException {
        UUID uuid = now.record().uuid();
        String name = now.record().name();
        switch (now.state()) {
            case SUSPENDED -> {
                LOG.info("Instance {} is resumed for guest {} ({})", name, guest, device);
                return manager.resume(uuid);
            }
            case RUNNING, STARTING -> {
                if (now.commands() == 0) {
                    LOG.info("Instance {}, just powered on, gets guest {} ({})", name, guest, device);
                    return now;
                }
                // What another guest, or this one before it was booted, left in PCRs must not be found in them.
                LOG.info("Instance {} is powered off and on for guest {} ({})", name, guest, device);
                manager.stop(uuid);
                return manager.start(uuid, null);
            }
            case STOPPED, FAILED -> {
                LOG.info("Instance {} is powered on for guest {} ({})", name, guest, device);
                return manager.start(uuid, null);
            }
        }
        throw new IllegalStateException("unknown state " + now.state());
    }

    private InstanceInfo create(DeviceId device, DeviceEffects.Claim claim, String guest) throws VtpmException {
        UUID uuid = claim.tpm();
        if (claim.incoming() || claim.resumed()) {
            throw new VtpmException("the guest goes on, but the vTPM " + uuid
                    + " that it had is not on this host; it gets" + " none rather than a new one");
        }
        if (!settings.createUnknown()) {
            throw new VtpmException("no instance has the uuid " + uuid
                    + "; vtpm:create one with --uuid, or set unknown =" + " create in " + XenListener.PID);
        }
        vacate(device, uuid);
        InstanceInfo created = manager.create(new NewInstance(
                freeName(guest, uuid),
                uuid,
                settings.family(),
                null,
                StartupMode.CLEAR,
                true,
                true,
                List.of(device.endpoint())));
        LOG.warn(
                "Instance {} was created for guest {} ({}), because no instance had the uuid {}",
                created.record().name(),
                guest,
                device,
                uuid);
        return created;
    }

    /**
     * Powers off another instance that had this device: its guest has gone, and domain ids are used again after the host was
     * booted.
     */
    private void vacate(DeviceId device, UUID next) throws VtpmException {
        for (InstanceInfo other : manager.instances()) {
            if (!other.record().uuid().equals(next)
                    && other.record().endpoints().contains(device.endpoint())) {
                leave(other, device);
            }
        }
    }

    /** The guest's name, if it can be an instance's and none has it. */
    private String freeName(String guest, UUID uuid) {
        String suffix = "-" + uuid.toString().substring(0, 8);
        String name = guest.replaceAll("[^A-Za-z0-9._-]", "_").replaceFirst("^[^A-Za-z0-9]+", "");
        if (name.isEmpty()) {
            return "xen" + suffix;
        }
        String fit = name.substring(0, Math.min(name.length(), MAX_NAME - suffix.length()));
        return manager.find(fit).isEmpty() ? fit : fit + suffix;
    }

    /** Gives the device back; powers off, unless the instance waits for its guest or others use it. */
    private void leave(InstanceInfo instance, DeviceId device) throws VtpmException {
        UUID uuid = instance.record().uuid();
        URI endpoint = device.endpoint();
        InstanceInfo now = instance.record().endpoints().contains(endpoint) ? manager.detach(uuid, endpoint) : instance;
        if (now.state() == InstanceState.SUSPENDED) {
            LOG.info(
                    "Instance {} stays suspended: its guest {} has gone",
                    now.record().name(),
                    device);
        } else if (now.record().endpoints().isEmpty()) {
            manager.stop(uuid);
            LOG.info(
                    "Instance {} is powered off: its guest {} has gone",
                    now.record().name(),
                    device);
        }
    }

    private static List<DeviceId> devices(InstanceInfo instance) {
        return instance.record().endpoints().stream()
                .flatMap(endpoint -> DeviceId.of(endpoint).stream())
                .toList();
    }
}
