package org.vtpm.listener.legacy;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;

/**
 * Serves {@code hvm:N} endpoints: the sockets {@code N.socket} on which the original's vtpmd waited for the QEMU of HVM guest
 * N, whose TIS device tells the locality of each command.
 */
@Component(service = EndpointHandler.class, configurationPid = LegacyListener.PID)
public final class HvmSockets implements EndpointHandler {
    static final String SCHEME = "hvm";

    private static final Logger LOG = LoggerFactory.getLogger(HvmSockets.class);

    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,8}");

    /** Where the sockets are; asked at each opening, so that what is wrong with it is told about each endpoint. */
    @FunctionalInterface
    interface Place {
        Path folder() throws IOException;
    }

    private final Place place;
    private final Duration commandTimeout;
    private final SocketLoop loop;
    private final Map<URI, Served> served = new HashMap<>();

    private record Served(HvmSocket socket, PrivateFolder folder, String name) {}

    @Activate
    public HvmSockets(LegacyListenerConfig config, BundleContext context) throws IOException {
        this(
                () -> {
                    if (!config.enabled()) {
                        throw new IOException("enabled = false in " + LegacyListener.PID);
                    }
                    return PrivateFolder.locate(config.sockets(), context.getProperty("karaf.data"), "socks");
                },
                LegacyListener.commandTimeout(config.command_timeout()));
    }

    HvmSockets(Place place, Duration commandTimeout) throws IOException {
        this.place = place;
        this.commandTimeout = commandTimeout;
        loop = new SocketLoop();
    }

    @Deactivate
    synchronized void deactivate() {
        List.copyOf(served.keySet()).forEach(this::close);
        loop.close();
    }

    /** The endpoint of an HVM guest's number. */
    static URI endpoint(long number) {
        return URI.create(SCHEME + ":" + number);
    }

    @Override
    public Set<String> schemes() {
        return Set.of(SCHEME);
    }

    @Override
    public void check(URI endpoint) {
        number(endpoint);
    }

    @Override
    public synchronized void open(URI endpoint, GuestChannel channel) throws IOException {
        long number = number(endpoint);
        if (served.containsKey(endpoint)) {
            throw new IOException("it is already served");
        }
        String name = number + ".socket";
        PrivateFolder folder;
        try {
            folder = PrivateFolder.prepare(Posix.load(), place.folder());
        } catch (LinkageError e) {
            throw new IOException("no native library for this machine: " + e.getMessage(), e);
        }
        ServerSocketChannel server = folder.bindSocket(name);
        HvmSocket socket = new HvmSocket(number, channel, server, loop, commandTimeout);
        try {
            loop.call(socket::start);
        } catch (IOException e) {
            server.close();
            folder.remove(name);
            throw e;
        }
        served.put(endpoint, new Served(socket, folder, name));
    }

    @Override
    public synchronized void close(URI endpoint) {
        Served gone = served.remove(endpoint);
        if (gone == null) {
            return;
        }
        try {
            gone.folder().remove(gone.name());
            loop.call(gone.socket()::close);
        } catch (IOException e) {
            LOG.warn("Closing {}: {}", endpoint, e.getMessage());
        }
    }

    private static long number(URI endpoint) {
        Matcher syntax = NUMBER.matcher(endpoint.getRawSchemeSpecificPart());
        if (SCHEME.equals(endpoint.getScheme()) && endpoint.getRawFragment() == null && syntax.matches()) {
            long number = Long.parseLong(syntax.group());
            if (number <= HvmPrefix.MAX_INSTANCE) {
                return number;
            }
        }
        throw new IllegalArgumentException("Cannot serve '" + endpoint + "': an instance number between 1 and "
                + HvmPrefix.MAX_INSTANCE + " must follow hvm:. Give an address such as hvm:1.");
    }
}
