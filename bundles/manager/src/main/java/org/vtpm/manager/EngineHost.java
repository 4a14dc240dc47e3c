package org.vtpm.manager;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.transport.EngineLink;

/**
 * One powered-on TPM: its engine with the link that carries its commands. Between two commands the link can be moved to
 * another transport, and the TPM to another engine. Used on its instance's lane only, except for {@link #kill} and the
 * getters.
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

    /** Why no command can reach the engine, for people, or null if there is a way for them. */
    @Nullable
    String obstacle() {
        return site.route().isPresent() ? null : site.obstacle();
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

    /** Whether {@link #execute} of this command takes a moment only, and waits for nothing. */
    boolean isBrief(byte[] command) {
        EngineLink current = link;
        return current != null && current.isBrief(command);
    }

    /** The volatile part of the TPM's state; the caller zeroes it. */
    byte[] snapshot() throws IOException, InterruptedException {
        Optional<byte[]> held = site.held();
        if (held.isPresent()) {
            return held.get();
        }
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
            throw new IOException(site.obstacle());
        }
        return current;
    }

    /** Whether the TPM can stay in the engine it is in; else it has to {@link #move}. */
    boolean stays() {
        return site.stays();
    }

    /**
     * Moves to another engine, or lets the TPM wait for one.
     *
     * @throws IOException if what the TPM was doing is lost, or its state cannot be opened; the caller ends it
     * @throws InterruptedException if the thread was interrupted; it waits for an engine
     */
    void move() throws IOException, InterruptedException {
        unlink();
        site.move();
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
