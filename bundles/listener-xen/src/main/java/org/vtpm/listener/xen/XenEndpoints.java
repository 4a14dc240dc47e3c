package org.vtpm.listener.xen;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Component;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;

/**
 * Knows which instance each device has. Apart from the listener itself, because the manager needs this service and the
 * listener needs the manager.
 */
@Component(service = {EndpointHandler.class, XenEndpoints.class})
public final class XenEndpoints implements EndpointHandler {
    private final Map<DeviceId, GuestChannel> channels = new ConcurrentHashMap<>();

    /** The running instance that has this device. */
    Optional<GuestChannel> channel(DeviceId device) {
        return Optional.ofNullable(channels.get(device));
    }

    @Override
    public Set<String> schemes() {
        return Set.of(DeviceId.SCHEME);
    }

    @Override
    public void check(URI endpoint) {
        device(endpoint);
    }

    @Override
    public void open(URI endpoint, GuestChannel channel) throws IOException {
        if (channels.putIfAbsent(device(endpoint), channel) != null) {
            throw new IOException("it is already served");
        }
    }

    @Override
    public void close(URI endpoint) {
        channels.remove(device(endpoint));
    }

    private static DeviceId device(URI endpoint) {
        return DeviceId.of(endpoint)
                .orElseThrow(() -> new IllegalArgumentException("Cannot serve '" + endpoint
                        + "': xen: must be followed by a domain id and a device number, such as xen:5/0. The listener"
                        + " attaches these addresses itself, by the uuid in the guest's configuration."));
    }
}
