package org.vtpm.transport.fifo;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.transport.fifo.wire.FramePipe;
import org.vtpm.transport.fifo.wire.ManagerEnd;

/** The manager's end of a pair of pipes. Any failure closes it: what follows on the pipes would mean nothing. */
final class FifoLink implements EngineLink {
    private static final Logger LOG = LoggerFactory.getLogger(FifoLink.class);

    private final UUID instance;
    private final ManagerEnd end;
    private final @Nullable SharedEngine far;
    private final Consumer<FifoLink> whenClosed;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Takes over one end.
     *
     * @param far the other end, if it is in this JVM
     * @param whenClosed told once
     */
    FifoLink(UUID instance, ManagerEnd end, @Nullable SharedEngine far, Consumer<FifoLink> whenClosed) {
        this.instance = instance;
        this.end = end;
        this.far = far;
        this.whenClosed = whenClosed;
    }

    /** The manager's end of a pipe, whose sink logs what it cannot store: the engine is told no more than that. */
    static ManagerEnd end(UUID instance, FramePipe pipe, StateSink sink) {
        return new ManagerEnd(pipe, changes -> {
            try {
                sink.save(changes);
            } catch (IOException | RuntimeException e) {
                LOG.error("State of instance {} could not be stored; its command is undone", instance, e);
                throw e;
            }
        });
    }

    /** What is said along the pipes and answered. */
    @FunctionalInterface
    private interface Exchange {
        byte[] run() throws IOException;
    }

    @Override
    public byte[] execute(int locality, byte[] command) throws IOException, InterruptedException {
        return exchange(() -> end.execute(locality, command));
    }

    @Override
    public byte[] snapshot() throws IOException, InterruptedException {
        return exchange(end::snapshot);
    }

    private byte[] exchange(Exchange exchange) throws IOException, InterruptedException {
        try {
            return exchange.run();
        } catch (ClosedByInterruptException e) {
            close();
            Thread.interrupted();
            throw interrupted(e);
        } catch (ClosedChannelException e) {
            throw new IOException("the pipes of instance " + instance + " were closed", e);
        } catch (IOException e) {
            close();
            throw new IOException("the pipes of instance " + instance + " failed: " + e.getMessage(), e);
        }
    }

    static InterruptedException interrupted(ClosedByInterruptException cause) {
        InterruptedException e = new InterruptedException();
        e.initCause(cause);
        return e;
    }

    /** Closes the channel, and waits for an engine of this JVM to come to rest: somebody else may use it next. */
    @Override
    public void close() {
        closePipes();
        if (far != null) {
            far.awaitRest();
        }
    }

    /** Closes the channel, whatever its engine may be doing. */
    void closePipes() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            end.close();
        } catch (IOException e) {
            LOG.warn("The pipes of instance {} did not close", instance, e);
        }
        if (far != null) {
            far.closePipes();
        }
        whenClosed.accept(this);
    }
}
