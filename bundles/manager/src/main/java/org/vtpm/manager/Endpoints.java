package org.vtpm.manager;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.GuestChannel;

/**
 * The endpoints of one instance and the listeners that serve them. While the instance wants to be reached every endpoint
 * is open, or has a problem and is tried again when a listener comes.
 */
final class Endpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Endpoints.class);

    private static final class Slot {
        private @Nullable EndpointHandler handler;
        private @Nullable String problem;
    }

    private final GuestChannel channel;
    private final Services services;
    private final Map<URI, Slot> slots = new LinkedHashMap<>();
    private boolean wanted;

    Endpoints(GuestChannel channel, Services services, List<URI> uris) {
        this.channel = channel;
        this.services = services;
        uris.forEach(uri -> slots.put(uri, new Slot()));
    }

    synchronized void open() {
        wanted = true;
        slots.forEach(this::tryOpen);
    }

    synchronized void close() {
        wanted = false;
        slots.forEach(this::shut);
    }

    synchronized void add(URI uri) {
        Slot slot = new Slot();
        slots.put(uri, slot);
        if (wanted) {
            tryOpen(uri, slot);
        }
    }

    synchronized void remove(URI uri) {
        Slot slot = slots.remove(uri);
        if (slot != null) {
            shut(uri, slot);
        }
    }

    /** A listener came: what is not open may open now. */
    synchronized void handlerCame() {
        if (wanted) {
            slots.forEach(this::tryOpen);
        }
    }

    /** A listener goes: what it served is shut, and opened again by another if there is one. */
    synchronized void handlerGone(EndpointHandler gone) {
        slots.forEach((uri, slot) -> {
            if (slot.handler == gone) {
                shut(uri, slot);
                if (wanted) {
                    tryOpen(uri, slot);
                }
            }
        });
    }

    synchronized List<EndpointInfo> info() {
        return slots.entrySet().stream()
                .map(e -> new EndpointInfo(e.getKey(), e.getValue().handler != null, e.getValue().problem))
                .toList();
    }

    private void tryOpen(URI uri, Slot slot) {
        if (slot.handler != null) {
            return;
        }
        Optional<EndpointHandler> handler = services.handler(uri.getScheme());
        if (handler.isEmpty()) {
            slot.problem = "no listener serves " + uri.getScheme() + ": addresses now";
            return;
        }
        try {
            handler.get().open(uri, channel);
            slot.handler = handler.get();
            slot.problem = null;
            LOG.info("Instance {} is served at {}", channel.name(), uri);
        } catch (IOException | RuntimeException e) {
            slot.problem = e.getMessage();
            LOG.warn("Instance {} cannot be served at {}: {}", channel.name(), uri, e.getMessage());
        }
    }

    private void shut(URI uri, Slot slot) {
        EndpointHandler handler = slot.handler;
        slot.handler = null;
        slot.problem = null;
        if (handler != null) {
            handler.close(uri);
        }
    }
}
