package org.vtpm.transport.fifo;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.Engine;
import org.vtpm.transport.fifo.wire.EngineEnd;

/** An engine of this JVM at the far end of a pair of pipes: served by whichever thread the poller wakes. */
final class SharedEngine {
    private static final Logger LOG = LoggerFactory.getLogger(SharedEngine.class);

    private final UUID instance;
    private final Engine engine;
    private final EngineEnd end;
    private final Poller.Watch watch;

    /** Held while the engine is used, so that it has one user at a time, also when this link gives way to another. */
    private final ReentrantLock use = new ReentrantLock();

    /**
     * Takes over the end, which is closed if this fails.
     *
     * @param commands the pipe to watch for commands
     */
    SharedEngine(UUID instance, Engine engine, EngineEnd end, Poller poller, Path commands) throws IOException {
        this.instance = instance;
        this.engine = engine;
        this.end = end;
        try {
            this.watch = poller.watch(commands, this::serve);
        } catch (IOException e) {
            end.close();
            throw e;
        }
    }

    /** Serves commands from now on. */
    void start() throws IOException {
        use.lock(); // shows the thread that the poller wakes all that was done to the engine before
        try {
            watch.arm();
        } finally {
            use.unlock();
        }
    }

    private void serve() {
        boolean served = false;
        use.lock();
        try {
            end.serve(engine);
            watch.arm();
            served = true;
        } catch (EOFException | ClosedChannelException e) {
            LOG.debug("The link of instance {} was closed", instance);
        } catch (IOException | RuntimeException e) {
            LOG.error("The engine of instance {} leaves its pipes", instance, e);
        } finally {
            if (!served) {
                closePipes();
            }
            use.unlock();
        }
    }

    /** Closes this end; a command that runs cannot save or answer any more. From any thread. */
    void closePipes() {
        try (watch) {
            end.close();
        } catch (IOException e) {
            LOG.warn("The pipes of instance {} did not close", instance, e);
        }
    }

    /** Waits until nothing of this runs in the engine; what was done to the engine is visible then. */
    void awaitRest() {
        use.lock();
        try {
            LOG.debug("The engine of instance {} is at rest", instance);
        } finally {
            use.unlock();
        }
    }
}
