package org.vtpm.manager;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;

/** Serves {@code test:} endpoints except {@code test:busy}. */
final class TestHandler implements EndpointHandler {
    final Map<URI, GuestChannel> open = new ConcurrentHashMap<>();

    @Override
    public Set<String> schemes() {
        return Set.of("test");
    }

    @Override
    public void check(URI endpoint) {
        if (endpoint.getSchemeSpecificPart().contains("!")) {
            throw new IllegalArgumentException(endpoint + " is not like test:name");
        }
    }

    @Override
    public void open(URI endpoint, GuestChannel channel) throws IOException {
        if (endpoint.toString().equals("test:busy")) {
            throw new IOException("the address is in use");
        }
        open.put(endpoint, channel);
    }

    @Override
    public void close(URI endpoint) {
        open.remove(endpoint);
    }
}
