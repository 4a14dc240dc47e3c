package org.vtpm.listener.swtpm;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.nio.channels.ServerSocketChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;

/** Serves {@code tcp:} and {@code unix:} endpoints: swtpm's data channel, with any number of guests per instance. */
@Component(configurationPid = SwtpmListener.PID)
@Designate(ocd = SwtpmListenerConfig.class)
public final class SwtpmListener implements EndpointHandler {
    static final String PID = "org.vtpm.listener.swtpm";

    private static final Logger LOG = LoggerFactory.getLogger(SwtpmListener.class);

    private static final int BACKLOG = 128;

    private record Served(
            Endpoint endpoint, Address address, @Nullable UnixSocketFile file) {}

    private final SelectorLoop loop;
    private final Map<URI, Served> served = new HashMap<>();
    private volatile Settings settings;

    @Activate
    public SwtpmListener(SwtpmListenerConfig config) throws IOException {
        this(Settings.of(config));
    }

    SwtpmListener(Settings settings) throws IOException {
        this.settings = settings;
        loop = new SelectorLoop();
    }

    /**
     * New limits count from the next connection on, and guests stay. Only if an open endpoint is no longer allowed does
     * this component go and come back: that is how the manager learns which endpoints it cannot have open, and why.
     */
    @Modified
    void modified(ComponentContext context, SwtpmListenerConfig config) {
        if (apply(Settings.of(config))) {
            LOG.warn("Closing and opening all endpoints, because remote ones are no longer allowed");
            String name = (String) context.getProperties().get(ComponentConstants.COMPONENT_NAME);
            // Not on this thread: a component cannot be disabled before its modified method has returned.
            CompletableFuture<Void> unused = CompletableFuture.runAsync(() -> {
                context.disableComponent(name);
                context.enableComponent(name);
            });
        }
    }

    /** Answers whether an open endpoint is no longer allowed. */
    synchronized boolean apply(Settings changed) {
        settings = changed;
        return served.values().stream().anyMatch(open -> refusedAsRemote(open.address()));
    }

    @Deactivate
    synchronized void deactivate() {
        List.copyOf(served.keySet()).forEach(this::close);
        loop.close();
    }

    @Override
    public Set<String> schemes() {
        return Set.of("tcp", "unix");
    }

    @Override
    public void check(URI endpoint) {
        if (refusedAsRemote(Address.parse(endpoint))) {
            throw new IllegalArgumentException(remoteRefusal(endpoint));
        }
    }

    @Override
    public synchronized void open(URI endpoint, GuestChannel channel) throws IOException {
        check(endpoint);
        if (served.containsKey(endpoint)) {
            throw new IOException("it is already served");
        }
        Address address = Address.parse(endpoint);
        ServerSocketChannel server = address instanceof Address.Unix
                ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                : ServerSocketChannel.open();
        UnixSocketFile file = null;
        try {
            file = bind(server, address);
            server.configureBlocking(false);
            Endpoint opened = new Endpoint(endpoint, channel, server, loop, () -> settings);
            loop.call(opened::start);
            served.put(endpoint, new Served(opened, address, file));
        } catch (IOException e) {
            server.close();
            if (file != null) {
                file.remove();
            }
            throw e;
        }
        LOG.debug("Serving instance {} on {}", channel.name(), endpoint);
    }

    @Override
    public synchronized void close(URI endpoint) {
        Served gone = served.remove(endpoint);
        if (gone == null) {
            return;
        }
        if (gone.file() != null) {
            gone.file().remove();
        }
        try {
            loop.call(gone.endpoint()::close);
        } catch (IOException e) {
            LOG.error("Closing {}: {}", gone.endpoint(), e.getMessage(), e);
        }
    }

    private static @Nullable UnixSocketFile bind(ServerSocketChannel server, Address address) throws IOException {
        if (address instanceof Address.Unix unix) {
            return UnixSocketFile.bind(server, unix.path());
        }
        Address.Tcp tcp = (Address.Tcp) address;
        try {
            server.bind(tcp.socket(), BACKLOG);
        } catch (IOException e) {
            int port = tcp.socket().getPort();
            throw new IOException(
                    e.getMessage() + "; choose another address, or see who has it: ss -ltnp sport = :" + port, e);
        }
        return null;
    }

    private boolean refusedAsRemote(Address address) {
        return address instanceof Address.Tcp tcp && !tcp.local() && !settings.allowRemote();
    }

    private static String remoteRefusal(URI endpoint) {
        return "'" + endpoint + "' can be reached from other hosts, and TPM commands travel in the clear without any"
                + " authentication. Use a loopback address such as tcp:127.0.0.1:6545, or set allow.remote = true in"
                + " org.vtpm.listener.swtpm.";
    }
}
