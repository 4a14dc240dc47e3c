package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StateStore;
import org.vtpm.api.storage.StorageAdministration;
import org.vtpm.storage.disk.PosixDisk;
import org.vtpm.storage.key.HostSecret;

/**
 * Offers a {@link StateStore} as soon as a root of trust has opened the storage folder, and from then on as long as this
 * bundle runs: the keys are then in memory, so that roots of trust may come and go while guests run. Until then there is no
 * such service, and the log says why. {@link RootAdministration} is there all the time, for recovery.
 */
@Component(
        immediate = true,
        service = {},
        configurationPid = "org.vtpm.storage")
@Designate(ocd = StorageConfig.class)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.vtpm.api.storage.StateStore\"",
        uses = StateStore.class)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.vtpm.api.storage.KeyVault\"",
        uses = KeyVault.class)
public final class StorageComponent implements RootAdmin.Storage {
    private static final Logger LOG = LoggerFactory.getLogger(StorageComponent.class);

    /** What is created or deleted within so long is anchored together. */
    private static final long LATER_MS = 1000;

    private static final String DATA = "${karaf.data}";

    private final BundleContext context;
    private final StorageConfig config;
    private final StorageOpener opener;
    private final RootAdmin rootAdmin;
    private final Map<ServiceReference<RootOfTrust>, RootOfTrust> roots = new ConcurrentHashMap<>();
    private final List<ServiceRegistration<?>> registrations = new ArrayList<>();
    private final ScheduledThreadPoolExecutor anchors = new ScheduledThreadPoolExecutor(1, task -> {
        Thread thread = new Thread(task, "vtpm-anchor");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable JournalStore opened;
    private boolean offered;
    private boolean stopped;

    /** Why no root of trust opened the folder the last time; empty if it is not that what keeps it closed. */
    private volatile String shut = "";

    @Activate
    public StorageComponent(BundleContext context, StorageConfig config) throws IOException {
        this.context = context;
        this.config = config;
        // Closing anchors, and nothing is offered any more.
        anchors.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        Path folder = Path.of(withData(config.directory(), context)).toAbsolutePath();
        opener = new StorageOpener(new PosixDisk(), folder, this::best, this::later);
        rootAdmin = new RootAdmin(opener.folder(), this::best, this);
    }

    /** Says so if there is nothing to open the folder with: what needs storage waits until there is. */
    @Activate
    void start() {
        if (config.anchor_seconds() < 1) {
            throw new IllegalArgumentException(
                    "\"anchor.seconds\" of org.vtpm.storage is " + config.anchor_seconds() + ": at least 1 is needed");
        }
        if (config.counter_wait_seconds() < 0) {
            throw new IllegalArgumentException("\"counter.wait.seconds\" of org.vtpm.storage is "
                    + config.counter_wait_seconds() + ": it cannot be negative");
        }
        offer(context.registerService(RootAdministration.class, rootAdmin, null));
        var unused = anchors.scheduleWithFixedDelay(
                this::tick, config.anchor_seconds(), config.anchor_seconds(), TimeUnit.SECONDS);
        if (roots.isEmpty()) {
            LOG.warn(
                    "Storage {} stays closed until there is a root of trust: start a root-* bundle",
                    opener.folder().root());
        }
    }

    @Deactivate
    void stop() throws IOException {
        List<ServiceRegistration<?>> ended;
        @Nullable JournalStore open;
        synchronized (this) {
            stopped = true;
            ended = List.copyOf(registrations);
            open = opened;
        }
        anchors.shutdown();
        ended.forEach(ServiceRegistration::unregister);
        rootAdmin.forgetRecovered();
        if (open != null) {
            open.close();
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindRoot(RootOfTrust root, ServiceReference<RootOfTrust> reference) {
        roots.put(reference, root);
        @Nullable JournalStore store = store();
        if (store != null) {
            recheck(store);
            if (!store.guard().waitsForCounter()) {
                offer(store);
            }
            return;
        }
        openWithRoots();
    }

    /** What is wrong on disk stays so until somebody acts; what keeps a root of trust from opening may pass. */
    private void openWithRoots() {
        AtomicBoolean released = new AtomicBoolean();
        try {
            open(held -> {
                HostSecret secret = held.release(best());
                released.set(true);
                return secret;
            });
            shut = "";
        } catch (StateException e) {
            String reason = String.valueOf(e.getMessage());
            if (released.get()) {
                LOG.error("{}. It is tried again when a root of trust arrives or this bundle is restarted", reason);
            } else if (!reason.equals(shut)) {
                LOG.error("{}. It is tried again every {} s", reason, config.anchor_seconds());
            }
            shut = released.get() ? "" : reason;
        }
    }

    void unbindRoot(RootOfTrust root, ServiceReference<RootOfTrust> reference) {
        roots.remove(reference, root);
    }

    @Override
    public synchronized @Nullable JournalStore store() {
        return opened;
    }

    @Override
    public void open(StorageOpener.Release release) throws StateException {
        JournalStore store;
        synchronized (this) {
            if (opened != null || stopped) {
                return;
            }
            store = opener.open(release);
            opened = store;
        }
        // Not under the lock: those who waited for the services are started by these calls.
        StorageAdmin admin = new StorageAdmin(opener.folder(), store, rootAdmin);
        offer(context.registerService(StorageAdministration.class, admin, null));
        if (store.guard().waitsForCounter()) {
            LOG.info(
                    "Storage {} waits up to {} s for the root of trust that has its counter",
                    opener.folder().root(),
                    config.counter_wait_seconds());
            try {
                var unused = anchors.schedule(() -> offer(store), config.counter_wait_seconds(), TimeUnit.SECONDS);
            } catch (RejectedExecutionException e) {
                LOG.debug("Stopped before the counter came", e);
            }
        } else {
            offer(store);
        }
    }

    /** Lets the manager use it, which starts instances at once; those that are refused then stay so until they are started. */
    private void offer(JournalStore store) {
        synchronized (this) {
            if (offered || stopped) {
                return;
            }
            offered = true;
        }
        offer(context.registerService(StateStore.class, store, null));
        offer(context.registerService(KeyVault.class, store.foreignKeys(), null));
    }

    private void later(Runnable task) {
        var unused = anchors.schedule(task, LATER_MS, TimeUnit.MILLISECONDS);
    }

    /** A root of trust may have the counter that tells whether the storage is the latest. */
    private static void recheck(JournalStore store) {
        try {
            store.guard().check();
        } catch (IOException e) {
            LOG.error("The storage cannot be held against its counter: {}", e.getMessage(), e);
        }
    }

    private void tick() {
        try {
            @Nullable JournalStore store = store();
            if (store != null) {
                store.guard().anchor();
            } else if (!shut.isEmpty()) {
                openWithRoots();
            }
        } catch (IOException | RuntimeException e) {
            // An exception would end the schedule.
            LOG.error(
                    "Storage {} cannot be opened or anchored: {}",
                    opener.folder().root(),
                    e.getMessage(),
                    e);
        }
    }

    private List<RootOfTrust> best() {
        return roots.entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Comparator.reverseOrder()))
                .map(Map.Entry::getValue)
                .toList();
    }

    private void offer(ServiceRegistration<?> registration) {
        synchronized (this) {
            if (!stopped) {
                registrations.add(registration);
                return;
            }
        }
        registration.unregister();
    }

    private static String withData(String directory, BundleContext context) {
        String data = context.getProperty("karaf.data");
        if (data == null && directory.contains(DATA)) {
            throw new IllegalArgumentException(
                    "\"directory\" of org.vtpm.storage names " + DATA + ", but there is no such property");
        }
        return data == null ? directory : directory.replace(DATA, data);
    }
}
