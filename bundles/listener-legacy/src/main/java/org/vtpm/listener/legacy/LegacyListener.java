package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
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
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.root.HostTpmCommands;

/**
 * Serves the Xen 3.x vTPM manager's own interfaces: {@code /dev/vtpm} where the kernel has it, the dummy backend that
 * stands in for it, and the console of the hotplug scripts. What keeps it from doing so costs one line in the log and
 * nothing else.
 */
@Component(
        immediate = true,
        service = {},
        configurationPid = LegacyListener.PID)
@Designate(ocd = LegacyListenerConfig.class)
public final class LegacyListener {
    static final String PID = "org.vtpm.listener.legacy";

    static final Port.Plan BACKEND =
            new Port.Plan("dummy_in.fifo", "dummy_out.fifo", Integer.MAX_VALUE, Duration.ofSeconds(30));

    /** The scripts hold a lock while they order, so one that comes finds no other's answer to wait for. */
    static final Port.Plan CONSOLE = new Port.Plan("from_console.fifo", "to_console.fifo", 1, Duration.ofSeconds(5));

    private static final Logger LOG = LoggerFactory.getLogger(LegacyListener.class);

    private static final int LONGEST_TIMEOUT = 3600;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile @Nullable HostTpmCommands hostTpm;

    private final Console console;
    private final @Nullable FifoServer server;
    private final @Nullable VtpmDevice device;

    @Activate
    public LegacyListener(
            @Reference VtpmManager manager,
            @Reference LegacyEndpoints endpoints,
            LegacyListenerConfig config,
            BundleContext context) {
        console = new Console(new Hotplug(manager), new TpmPassthrough(() -> hostTpm));
        Duration timeout = commandTimeout(config.command_timeout());
        server = config.enabled()
                ? serve(config.directory(), context.getProperty("karaf.data"), endpoints, timeout)
                : null;
        device = config.enabled() && !config.device().isBlank()
                ? serveDevice(config.device().strip(), endpoints, timeout)
                : null;
    }

    @Deactivate
    void deactivate() {
        console.close();
        if (device != null) {
            device.close();
        }
        if (server != null) {
            server.close();
        }
    }

    /** How long the rest of something that has begun may take. */
    static Duration commandTimeout(int seconds) {
        if (seconds < 1 || seconds > LONGEST_TIMEOUT) {
            throw new IllegalArgumentException("command.timeout is " + seconds + " in " + PID
                    + ": set it to a number of seconds from 1 to " + LONGEST_TIMEOUT + ".");
        }
        return Duration.ofSeconds(seconds);
    }

    private @Nullable FifoServer serve(
            String directory, @Nullable String karafData, LegacyEndpoints endpoints, Duration timeout) {
        try {
            Path folder = PrivateFolder.locate(directory, karafData, "fifos");
            Posix posix = Posix.load();
            FifoServer started = start(posix, folder, endpoints, console, timeout);
            LOG.info("Serving the FIFOs of the Xen 3.x vTPM manager in {}", folder);
            return started;
        } catch (IOException | LinkageError e) {
            LOG.error(
                    "The FIFOs of the Xen 3.x vTPM manager are not served: {}. Set directory in {}, or enabled = false",
                    e.getMessage(),
                    PID);
            return null;
        }
    }

    private static @Nullable VtpmDevice serveDevice(String device, LegacyEndpoints endpoints, Duration timeout) {
        try {
            return new VtpmDevice(
                    Posix.load(), PrivateFolder.absolute(device), new Backend(endpoints), timeout, VtpmDevice.RETRY);
        } catch (IOException | LinkageError e) {
            LOG.error("{} is not served: {}. Set device in {}, or leave it empty", device, e.getMessage(), PID);
            return null;
        }
    }

    static FifoServer start(Posix posix, Path folder, LegacyEndpoints endpoints, Console console, Duration frameTimeout)
            throws IOException {
        return new FifoServer(
                posix,
                PrivateFolder.prepare(posix, folder),
                frameTimeout,
                List.of(
                        new FifoServer.Wiring(BACKEND, new Backend(endpoints)),
                        new FifoServer.Wiring(CONSOLE, console)));
    }
}
