package org.vtpm.transport.fifo;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.EngineTransport;
import org.vtpm.api.transport.ProcessTransport;
import org.vtpm.api.transport.Rendezvous;
import org.vtpm.transport.fifo.wire.EngineEnd;
import org.vtpm.transport.fifo.wire.FramePipe;
import org.vtpm.transport.fifo.wire.Role;

/**
 * Carries commands over a pair of named pipes for each engine, in the original manager's framing (docs/fifo-wire.md). Idle
 * engines of this JVM cost no thread: one thread waits on all their pipes, and a thread of a pool runs each command.
 */
@Component(
        name = FifoTransport.NAME,
        enabled = false,
        service = {EngineTransport.class, ProcessTransport.class})
@ServiceRanking(50)
@Designate(ocd = FifoConfig.class)
public final class FifoTransport implements EngineTransport, ProcessTransport {
    static final String NAME = "org.vtpm.transport.fifo";

    private static final Logger LOG = LoggerFactory.getLogger(FifoTransport.class);
    private static final int SECRET_BYTES = 32;

    private final Posix posix = Posix.load();
    private final SecureRandom random = new SecureRandom();
    private final Set<FifoLink> links = ConcurrentHashMap.newKeySet();
    private final PipeDirectory directory;
    private final ExecutorService engines;
    private final Poller poller;

    @Activate
    public FifoTransport(BundleContext context, FifoConfig config) throws IOException {
        this(directory(config.directory(), context.getProperty("karaf.data")));
    }

    /** A transport outside of OSGi, whose pipes lie in {@code path}; {@link #stop} ends it. */
    public FifoTransport(Path path) throws IOException {
        directory = new PipeDirectory(path, posix);
        AtomicInteger number = new AtomicInteger();
        // No limit of its own: there are as many commands at a time as the manager has threads that wait for them.
        engines = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "vtpm-fifo-engine-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        poller = new Poller(posix, engines);
        try {
            int stale = directory.removeStale();
            LOG.info("Named pipes lie in {}; {} stale ones removed", directory.path(), stale);
        } catch (IOException e) {
            LOG.error("No named pipes can be made until this is mended: {}", e.getMessage());
        }
    }

    private static Path directory(String configured, @Nullable String karafData) {
        return configured.isBlank()
                ? Path.of(Objects.requireNonNullElse(karafData, System.getProperty("java.io.tmpdir")), "vtpm", "pipes")
                : Path.of(configured.strip());
    }

    /** Closes all pipes, whatever their engines may be doing. */
    @Deactivate
    public void stop() {
        links.forEach(FifoLink::closePipes);
        poller.close();
        engines.shutdown();
    }

    @Override
    public String name() {
        return "fifo";
    }

    // Engines of this JVM

    @Override
    public EngineLink connect(UUID instance, Engine engine, StateSink sink) throws IOException {
        PipePair pair = directory.create(instance);
        byte[] secret = newSecret();
        try {
            FramePipe held = pair.hold(secret);
            try {
                return connect(pair, secret, engine, sink);
            } finally {
                held.close();
            }
        } catch (IOException e) {
            delete(pair);
            throw e;
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }

    private EngineLink connect(PipePair pair, byte[] secret, Engine engine, StateSink sink) throws IOException {
        EngineEnd end = new EngineEnd(pair.open(Role.ENGINE, secret));
        SharedEngine shared = new SharedEngine(pair.instance(), engine, end, poller, pair.commands());
        try {
            shared.start();
            return link(pair, secret, sink, shared, link -> delete(pair));
        } catch (IOException e) {
            shared.closePipes();
            throw e;
        }
    }

    // Engines in processes

    @Override
    public Rendezvous prepare(UUID instance) throws IOException {
        return new Rendezvous(instance, name(), directory.create(instance).arguments(), newSecret());
    }

    @Override
    public EngineLink accept(Rendezvous rendezvous, Map<StateKind, byte[]> state, StateSink sink, Duration timeout)
            throws IOException, InterruptedException {
        PipePair pair = PipePair.of(rendezvous.instance(), rendezvous.arguments());
        CompletableFuture<Void> deadline = new CompletableFuture<>();
        try (FramePipe held = pair.hold(rendezvous.secret())) {
            var unused = deadline.orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                    .whenComplete((done, late) -> {
                        if (late != null) {
                            close(held);
                        }
                    });
            FifoLink.end(pair.instance(), held, sink).load(state);
            if (!deadline.complete(null)) {
                throw new ClosedChannelException();
            }
            return link(pair, rendezvous.secret(), sink, null, link -> {});
        } catch (ClosedByInterruptException e) {
            Thread.interrupted();
            throw FifoLink.interrupted(e);
        } catch (ClosedChannelException e) {
            throw new IOException(
                    "vtpmd of instance " + pair.instance() + " did not take its state within " + timeout.toMillis()
                            + " ms",
                    e);
        } finally {
            deadline.complete(null);
        }
    }

    @Override
    public EngineLink resume(Rendezvous rendezvous, StateSink sink) throws IOException {
        PipePair pair = PipePair.of(rendezvous.instance(), rendezvous.arguments());
        if (!posix.hasReader(pair.commands())) {
            throw new IOException("vtpmd of instance " + pair.instance() + " has left its pipes");
        }
        FramePipe held = pair.hold(rendezvous.secret());
        try {
            drain(pair.responses());
            return link(pair, rendezvous.secret(), sink, null, link -> {});
        } finally {
            held.close();
        }
    }

    /** Drops what was said to an earlier link and not read, perhaps only in part. */
    private static void drain(Path responses) throws IOException {
        byte[] dropped = new byte[4096];
        try (FileInputStream in = new FileInputStream(responses.toFile())) {
            while (in.available() > 0) {
                in.read(dropped); // all other ways to read or skip seek first, which pipes cannot
            }
        } finally {
            Arrays.fill(dropped, (byte) 0);
        }
    }

    @Override
    public void release(Rendezvous rendezvous) {
        try {
            PipePair.of(rendezvous.instance(), rendezvous.arguments()).delete();
        } catch (IOException e) {
            LOG.warn("Pipes of instance {} could not be removed", rendezvous.instance(), e);
        }
    }

    // Both

    /** Opens the manager's end while the pipes are held open. */
    private FifoLink link(
            PipePair pair, byte[] secret, StateSink sink, @Nullable SharedEngine far, Consumer<FifoLink> whenClosed)
            throws IOException {
        FramePipe pipe = pair.open(Role.MANAGER, secret);
        FifoLink link = new FifoLink(
                pair.instance(), FifoLink.end(pair.instance(), pipe, sink), far, whenClosed.andThen(links::remove));
        links.add(link);
        return link;
    }

    private byte[] newSecret() {
        byte[] secret = new byte[SECRET_BYTES];
        random.nextBytes(secret);
        return secret;
    }

    private static void close(Closeable pipe) {
        try {
            pipe.close();
        } catch (IOException e) {
            LOG.warn("A pipe did not close", e);
        }
    }

    private static void delete(PipePair pair) {
        try {
            pair.delete();
        } catch (IOException e) {
            LOG.warn("Pipes of instance {} could not be removed", pair.instance(), e);
        }
    }
}
