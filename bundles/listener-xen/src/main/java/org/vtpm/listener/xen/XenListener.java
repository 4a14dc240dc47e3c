package org.vtpm.listener.xen;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.xen.XenBackend;
import org.vtpm.api.xen.XenReport;

/**
 * The backend of Xen's TPM devices in dom0. Where there is no Xen it says so once, and waits for it; where XenStore is lost
 * it begins anew. A changed configuration makes it begin anew too, which guests do not notice.
 */
@Component(immediate = true, configurationPid = XenListener.PID)
@Designate(ocd = XenListenerConfig.class)
public final class XenListener implements XenBackend {
    static final String PID = "org.vtpm.listener.xen";

    private static final Logger LOG = LoggerFactory.getLogger(XenListener.class);

    /** How long it waits before it looks for Xen again. */
    private static final Duration PAUSE = Duration.ofSeconds(5);

    /** How long a device says that it waits, at least: more than a busy toolstack takes to look. */
    private static final Duration SHOW = Duration.ofSeconds(1);

    private static final int WORKERS = 8;

    private final XenHost host;
    private final XenEndpoints endpoints;
    private final Stubdoms stubdoms;
    private final InstancePower power;
    private final Settings settings;
    private final Duration pause;
    private final Duration show;
    private final ThreadPoolExecutor work;
    private final Set<DeviceId> drained = new HashSet<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final @Nullable Thread thread;
    private volatile @Nullable Session session;
    private volatile @Nullable String problem;

    @Activate
    public XenListener(
            @Reference VtpmManager manager,
            @Reference XenEndpoints endpoints,
            @Reference Stubdoms stubdoms,
            XenListenerConfig config) {
        this(
                XenHost.local(config.xenstore()),
                manager,
                endpoints,
                stubdoms,
                Settings.of(config),
                PAUSE,
                SHOW,
                config.enabled());
    }

    XenListener(
            XenHost host,
            VtpmManager manager,
            XenEndpoints endpoints,
            Stubdoms stubdoms,
            Settings settings,
            Duration pause,
            Duration show,
            boolean enabled) {
        this.host = host;
        this.endpoints = endpoints;
        this.stubdoms = stubdoms;
        this.settings = settings;
        this.pause = pause;
        this.show = show;
        power = new InstancePower(manager, stubdoms, settings);
        work = new ThreadPoolExecutor(
                WORKERS, WORKERS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemons("vtpm-xen-work"));
        work.allowCoreThreadTimeOut(true);
        if (enabled) {
            thread = daemons("vtpm-xen").newThread(this::run);
            thread.start();
        } else {
            thread = null;
            problem = "it is switched off in " + PID;
        }
    }

    @Deactivate
    void deactivate() {
        closing.countDown();
        Session running = session;
        if (running != null) {
            running.stop();
        }
        try {
            if (thread != null) {
                thread.join(TimeUnit.SECONDS.toMillis(30));
            }
            work.shutdown();
            if (!work.awaitTermination(30, TimeUnit.SECONDS)) {
                LOG.warn("Instances are still being powered on or off for Xen guests");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public XenReport report() {
        Session running = session;
        return new XenReport(problem, running == null ? List.of() : running.devices());
    }

    static ThreadFactory daemons(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    private void run() {
        try {
            do {
                serve();
            } while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve() throws InterruptedException {
        try {
            XenHost.Access access = host.open();
            try (Session opened = new Session(access, endpoints, stubdoms, power, work, settings, show, drained)) {
                session = opened;
                if (closing.getCount() == 0) {
                    return;
                }
                problem = null;
                LOG.info("Serving the TPM devices of this host's Xen guests");
                opened.serve();
            } finally {
                session = null;
            }
        } catch (IOException e) {
            failed(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            LOG.error("Unexpected fault while serving Xen guests", e);
            failed(e.toString());
        }
    }

    /** Once for each reason: it is tried again soon. */
    private void failed(String reason) {
        if (!reason.equals(problem)) {
            LOG.warn("Xen guests are not served: {}. Trying again every {} s", reason, pause.toSeconds());
        }
        problem = reason;
    }
}
