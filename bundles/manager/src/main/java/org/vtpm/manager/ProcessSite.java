package org.vtpm.manager;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.vtpm.api.transport.ProcessTransport;
import org.vtpm.api.transport.Rendezvous;

/** An engine in a {@code vtpmd} process of its own. */
final class ProcessSite implements EngineSite {
    private final Process process;
    private final Rendezvous rendezvous;
    private final FencedSink sink;
    private final Services services;
    private final Duration patience;

    /**
     * Takes over a process that was accepted.
     *
     * @param patience how long it may take to end by itself
     */
    ProcessSite(Process process, Rendezvous rendezvous, FencedSink sink, Services services, Duration patience) {
        this.process = process;
        this.rendezvous = rendezvous;
        this.sink = sink;
        this.services = services;
        this.patience = patience;
    }

    @Override
    public Optional<Route> route() {
        return transport().map(t -> new Route(t, t.name(), () -> t.resume(rendezvous, sink)));
    }

    @Override
    public String obstacle() {
        return "no transport can carry it; start the bundle transport-fifo";
    }

    /** The process has the engine's code for itself. */
    @Override
    public boolean stays() {
        return true;
    }

    @Override
    public void move() {}

    @Override
    public Optional<byte[]> held() {
        return Optional.empty();
    }

    /** Ends the process by closing its standard input, and kills it if it does not heed that. */
    @Override
    public void end() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        release();
    }

    @Override
    public void kill() {
        sink.cut();
        process.destroyForcibly();
        release();
    }

    @Override
    public OptionalLong pid() {
        return OptionalLong.of(process.pid());
    }

    private void release() {
        transport().ifPresent(t -> t.release(rendezvous));
    }

    private Optional<ProcessTransport> transport() {
        return services.processTransports().first(t -> t.name().equals(rendezvous.transport()));
    }
}
