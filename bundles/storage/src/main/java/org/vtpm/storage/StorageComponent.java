package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
import org.vtpm.api.storage.StateStore;

/**
 * Offers a {@link StateStore} as soon as a root of trust has opened the storage folder, and from then on as long as this
 * bundle runs: the host key is then in memory, so that roots of trust may come and go while guests run. Until then there
 * is no such service, and the log says why.
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
public final class StorageComponent {
    private static final Logger LOG = LoggerFactory.getLogger(StorageComponent.class);

    private static final String DATA = "${karaf.data}";

    private final BundleContext context;
    private final Path folder;
    private final Map<ServiceReference<RootOfTrust>, RootOfTrust> roots = new ConcurrentHashMap<>();
    private @Nullable FolderStore store;
    private @Nullable ServiceRegistration<StateStore> registration;
    private boolean stopped;

    @Activate
    public StorageComponent(BundleContext context, StorageConfig config) {
        this.context = context;
        folder = Path.of(withData(config.directory(), context)).toAbsolutePath();
    }

    /** Says so if there is nothing to open the folder with: what needs storage waits until there is. */
    @Activate
    void start() {
        if (roots.isEmpty()) {
            LOG.warn("Storage {} stays closed until there is a root of trust: start a root-* bundle", folder);
        }
    }

    @Deactivate
    void stop() throws IOException {
        ServiceRegistration<StateStore> ended;
        FolderStore open;
        synchronized (this) {
            stopped = true;
            ended = registration;
            open = store;
        }
        if (ended != null) {
            ended.unregister();
        }
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
        FolderStore opened = open();
        if (opened != null) {
            // Not under the lock: those who waited for the service are started by this call.
            offer(context.registerService(StateStore.class, opened, null));
        }
    }

    void unbindRoot(RootOfTrust root, ServiceReference<RootOfTrust> reference) {
        roots.remove(reference, root);
    }

    /** The store, if this call opened it. */
    private synchronized @Nullable FolderStore open() {
        if (store != null || stopped) {
            return null;
        }
        List<RootOfTrust> best = roots.entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Comparator.reverseOrder()))
                .map(Map.Entry::getValue)
                .toList();
        try {
            store = StorageOpener.open(new PosixDisk(), folder, best);
        } catch (IOException e) {
            LOG.error("{}. It is tried again when a root of trust arrives or this bundle is restarted", e.getMessage());
        }
        return store;
    }

    private void offer(ServiceRegistration<StateStore> offered) {
        synchronized (this) {
            if (!stopped) {
                registration = offered;
                return;
            }
        }
        offered.unregister();
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
