package org.vtpm.manager;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.transport.EngineLink;

/**
 * One powered-on engine with the link that carries its commands; the link can be moved to another transport between two
 * commands. Used on its instance's lane only, except for {@link #kill} and the getters.
 */
final class EngineHost {
    private final EngineSite site;
    private @Nullable EngineLink link;
    private EngineSite.@Nullable Route via;
    private volatile @Nullable String transport;

    /** An engine that is not linked yet. */
    EngineHost(EngineSite site) {
        this.site = site;
    }

    /** An engine whose first link came with its launch. */
    EngineHost(EngineSite site, EngineSite.Route via, EngineLink link) {
        this.site = site;
        this.link = link;
        this.via = via;
        this.transport = via.name();
    }

    /** Name of the transport that carries its commands, or null while none does. */
    @Nullable
    String transport() {
        return transport;
    }

    OptionalLong pid() {
        return site.pid();
    }

    byte[] execute(int locality, byte[] command) throws IOException, InterruptedException {
        EngineLink current = link();
        try {
            return current.execute(locality, command);
        } catch (IOException e) {
            unlink();
            throw e;
        }
    }

    /** The volatile part of the engine's state; the caller zeroes it. */
    byte[] snapshot() throws IOException, InterruptedException {
        EngineLink current = link();
        try {
            return current.snapshot();
        } catch (IOException e) {
            unlink();
            throw e;
        }
    }

    private EngineLink link() throws IOException {
        if (link == null) {
            relink();
        }
        EngineLink current = link;
        if (current == null) {
            throw new IOException("no transport can carry it; start the bundle transport-loopback or transport-fifo");
        }
        return current;
    }

    /** Moves to the transport that should carry the engine now, if that is another one. */
    void relink() throws IOException {
        Optional<EngineSite.Route> route = site.route();
        if (link != null && via != null && route.isPresent() && route.get().transport() == via.transport()) {
            return;
        }
        unlink();
        if (route.isPresent()) {
            link = route.get().opener().open();
            via = route.get();
            transport = via.name();
        }
    }

    void end() {
        unlink();
        site.end();
    }

    void kill() {
        site.kill();
    }

    private void unlink() {
        EngineLink old = link;
        link = null;
        via = null;
        transport = null;
        if (old != null) {
            old.close();
        }
    }
}
