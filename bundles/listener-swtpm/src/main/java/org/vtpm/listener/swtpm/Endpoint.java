package org.vtpm.listener.swtpm;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.codec.stream.CommandAssembler;

/**
 * One address with the guests connected to it, and the instance they talk to. Used on the loop's thread, except that
 * responses arrive on any.
 */
final class Endpoint implements SelectorLoop.Handler, SelectorLoop.Timed {
    private static final Logger LOG = LoggerFactory.getLogger(Endpoint.class);

    private static final Duration LOG_INTERVAL = Duration.ofMinutes(1);

    /** How long to wait before accepting again when the host has run out of descriptors. */
    private static final Duration ACCEPT_PAUSE = Duration.ofSeconds(1);

    /** Guests accepted in one go, so that a flood of them does not hold up those already connected. */
    private static final int ACCEPT_BATCH = 16;

    private final URI uri;
    private final GuestChannel instance;
    private final ServerSocketChannel server;
    private final SelectorLoop loop;
    private final Supplier<Settings> settings;
    private final Set<Connection> connections = new HashSet<>();
    private final LogLimiter badSizes = new LogLimiter(LOG_INTERVAL, System::nanoTime);
    private final LogLimiter privateTags = new LogLimiter(LOG_INTERVAL, System::nanoTime);
    private final LogLimiter refusals = new LogLimiter(LOG_INTERVAL, System::nanoTime);
    private final LogLimiter faults = new LogLimiter(LOG_INTERVAL, System::nanoTime);
    private @Nullable SelectionKey key;
    private long acceptAgain;

    /** @param server bound and non-blocking; closed with this endpoint */
    Endpoint(
            URI uri,
            GuestChannel instance,
            ServerSocketChannel server,
            SelectorLoop loop,
            Supplier<Settings> settings) {
        this.uri = uri;
        this.instance = instance;
        this.server = server;
        this.loop = loop;
        this.settings = settings;
    }

    /** Starts to accept guests. */
    void start() throws IOException {
        key = loop.register(server, SelectionKey.OP_ACCEPT, this);
    }

    /** Drops all guests and gives the address up. */
    void close() {
        loop.unwatch(this);
        try {
            server.close();
        } catch (IOException e) {
            LOG.warn("Closing {}: {}", this, e.getMessage());
        }
        List.copyOf(connections).forEach(Connection::close);
    }

    @Override
    public void ready(SelectionKey ready) {
        for (int i = 0; i < ACCEPT_BATCH; i++) {
            SocketChannel guest;
            try {
                guest = server.accept();
            } catch (IOException e) {
                pause(ready, e);
                return;
            }
            if (guest == null) {
                return;
            }
            admit(guest);
        }
    }

    @Override
    public void tick(long nanoTime) {
        if (nanoTime - acceptAgain >= 0 && key != null) {
            loop.unwatch(this);
            key.interestOpsOr(SelectionKey.OP_ACCEPT);
        }
    }

    /**
     * Sends a guest's command; {@code answer} gets the response, on any thread. This may take as long as the command, so the
     * loop's thread is lent for it.
     */
    void executeHere(byte[] command, Consumer<byte[]> answer) {
        execute(() -> instance.executeHere(0, command, loop::handOver), answer);
    }

    /** Sends a guest's command, and returns at once; {@code answer} gets the response, on any thread. */
    void execute(byte[] command, Consumer<byte[]> answer) {
        execute(() -> instance.execute(0, command), answer);
    }

    private void execute(Supplier<CompletableFuture<byte[]>> command, Consumer<byte[]> answer) {
        loop.commandBegins();
        CompletableFuture<byte[]> response;
        try {
            response = command.get();
        } catch (RuntimeException e) {
            response = CompletableFuture.failedFuture(e);
        }
        CompletableFuture<byte[]> unused = response.whenComplete((bytes, fault) -> {
            // The guest may send the next one as soon as it has the answer.
            loop.commandEnds();
            if (fault == null) {
                answer.accept(bytes);
            } else {
                faults.permit()
                        .ifPresent(more -> LOG.error("{} failed to answer a command{}", this, andMore(more), fault));
                answer.accept(Refusal.FAILURE.response(family()));
            }
        });
    }

    TpmFamily family() {
        return instance.family();
    }

    void closed(Connection connection) {
        connections.remove(connection);
    }

    void reportBadSize(long size) {
        badSizes.permit()
                .ifPresent(more -> LOG.warn(
                        "Hung up on a guest of {}: its command header gives {} bytes, valid are {} to {}{}",
                        this,
                        size,
                        CommandAssembler.MIN_COMMAND,
                        CommandAssembler.MAX_COMMAND,
                        andMore(more)));
    }

    void reportPrivateTag(int tag) {
        privateTags
                .permit()
                .ifPresent(more -> LOG.warn(
                        "Refused a command with tag 0x{} from a guest of {}: that tag is for the manager's own"
                                + " commands, no guest driver sends it{}",
                        String.format("%04X", tag),
                        this,
                        andMore(more)));
    }

    private void admit(SocketChannel guest) {
        Settings now = settings.get();
        try {
            if (connections.size() >= now.maxConnections()) {
                guest.close();
                OptionalLong permit = refusals.permit();
                permit.ifPresent(more -> LOG.warn(
                        "Hung up on a new guest of {}: {} are connected already. Raise max.connections in"
                                + " org.vtpm.listener.swtpm if they are all wanted{}",
                        this,
                        now.maxConnections(),
                        andMore(more)));
                return;
            }
            guest.configureBlocking(false);
            if (guest.supportedOptions().contains(StandardSocketOptions.TCP_NODELAY)) {
                guest.setOption(StandardSocketOptions.TCP_NODELAY, true);
                guest.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            }
            connections.add(new Connection(this, loop, guest, now.commandTimeout()));
        } catch (IOException e) {
            LOG.debug("A guest of {} left before it was served: {}", this, e.getMessage());
            closeQuietly(guest);
        }
    }

    private void pause(SelectionKey ready, IOException e) {
        refusals.permit()
                .ifPresent(more -> LOG.error(
                        "Cannot accept guests of {} for now: {}. Raise the limit of open files (LimitNOFILE) if this"
                                + " goes on{}",
                        this,
                        e.getMessage(),
                        andMore(more)));
        if (ready.isValid()) {
            ready.interestOpsAnd(~SelectionKey.OP_ACCEPT);
            acceptAgain = System.nanoTime() + ACCEPT_PAUSE.toNanos();
            loop.watch(this);
        }
    }

    private static void closeQuietly(SocketChannel guest) {
        try {
            guest.close();
        } catch (IOException e) {
            LOG.debug("Closing a guest's socket", e);
        }
    }

    private static String andMore(long suppressed) {
        return suppressed == 0 ? "" : " (and " + suppressed + " more times)";
    }

    @Override
    public String toString() {
        return "instance " + instance.name() + " on " + uri;
    }
}
