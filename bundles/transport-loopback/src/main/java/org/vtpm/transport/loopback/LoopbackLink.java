package org.vtpm.transport.loopback;

import java.io.IOException;
import java.util.UUID;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;

/**
 * A link that is a method call. A command that runs already cannot be interrupted: an engine has no point at which it
 * could stop half-way and still be whole.
 */
final class LoopbackLink implements EngineLink {
    private final UUID instance;
    private final Engine engine;
    private final StateSink sink;
    private volatile boolean closed;

    LoopbackLink(UUID instance, Engine engine, StateSink sink) {
        this.instance = instance;
        this.engine = engine;
        this.sink = sink;
    }

    @Override
    public byte[] execute(int locality, byte[] command) throws IOException, InterruptedException {
        requireUsable();
        try {
            return engine.execute(locality, command, sink);
        } catch (RuntimeException fault) {
            close();
            throw new IOException("the engine of instance " + instance + " failed in the middle of a command", fault);
        }
    }

    @Override
    public boolean isBrief(byte[] command) {
        return engine.isBrief(command);
    }

    @Override
    public byte[] snapshot() throws IOException, InterruptedException {
        requireUsable();
        try {
            return engine.snapshot();
        } catch (RuntimeException fault) {
            close();
            throw new IOException("the engine of instance " + instance + " failed to give a snapshot", fault);
        }
    }

    private void requireUsable() throws IOException, InterruptedException {
        if (Thread.interrupted()) {
            close();
            throw new InterruptedException();
        }
        if (closed) {
            throw new IOException("the loopback link of instance " + instance + " is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
