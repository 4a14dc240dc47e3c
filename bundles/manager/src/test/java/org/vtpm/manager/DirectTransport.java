package org.vtpm.manager;

import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.EngineTransport;

/** A transport that can be declared gone: whatever uses a link of it afterwards is counted as an error. */
final class DirectTransport implements EngineTransport {
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger usedAfterGone = new AtomicInteger();
    volatile boolean gone;
    volatile boolean broken;
    private final String name;

    DirectTransport(String name) {
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public EngineLink connect(UUID instance, Engine engine, StateSink sink) throws IOException {
        open.incrementAndGet();
        return new EngineLink() {
            @Override
            public byte[] execute(int locality, byte[] command) throws IOException {
                if (gone) {
                    usedAfterGone.incrementAndGet();
                }
                if (broken) {
                    throw new IOException("provoked");
                }
                return engine.execute(locality, command, sink);
            }

            @Override
            public boolean isBrief(byte[] command) {
                return engine.isBrief(command);
            }

            @Override
            public byte[] snapshot() throws IOException {
                if (broken) {
                    throw new IOException("provoked");
                }
                try {
                    return engine.snapshot();
                } catch (IllegalStateException e) {
                    throw new IOException("its engine failed to give a snapshot", e);
                }
            }

            @Override
            public void close() {
                open.decrementAndGet();
            }
        };
    }
}
