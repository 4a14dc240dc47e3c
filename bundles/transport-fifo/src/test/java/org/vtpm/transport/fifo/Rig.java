package org.vtpm.transport.fifo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.Rendezvous;
import org.vtpm.transport.fifo.wire.EngineEnd;
import org.vtpm.transport.fifo.wire.FramePipe;
import org.vtpm.transport.fifo.wire.Role;
import org.vtpm.transport.loopback.LoopbackTransport;

/** A link of one kind to an engine, with all that it stands on. */
final class Rig {
    /** The ways from a manager to an engine. */
    enum Kind {
        LOOPBACK,
        FIFO,
        /** Pipes with a thread on the far end that does what {@code vtpmd} does. */
        FIFO_PROCESS
    }

    static final UUID INSTANCE = UUID.fromString("5f6c0a7e-51d2-4f0b-9d8e-2f3f0c6f3a01");
    static final Duration PATIENCE = Duration.ofSeconds(20);

    final Path directory;
    final FifoTransport fifo;
    final List<Map<StateKind, byte[]>> saved = new ArrayList<>();
    /** Thrown instead of saving, if set. */
    final AtomicReference<Exception> fault = new AtomicReference<>();

    private final List<Thread> peers = new ArrayList<>();
    private final List<EngineLink> links = new ArrayList<>();
    private final List<FramePipe> pipes = new ArrayList<>();

    Rig(Path temporary) throws IOException {
        directory = temporary.resolve("pipes");
        fifo = new FifoTransport(directory);
    }

    EngineLink open(Kind kind, Engine engine) throws Exception {
        EngineLink link = switch (kind) {
            case LOOPBACK -> new LoopbackTransport().connect(INSTANCE, engine, sink());
            case FIFO -> fifo.connect(INSTANCE, engine, sink());
            case FIFO_PROCESS -> {
                Rendezvous rendezvous = fifo.prepare(INSTANCE);
                startPeer(rendezvous, engine);
                yield fifo.accept(rendezvous, Map.of(StateKind.PERMANENT, new byte[] {1}), sink(), PATIENCE);
            }
        };
        links.add(link);
        return link;
    }

    /** Keeps copies, since the arrays are the engine's and may be zeroed. */
    StateSink sink() {
        return changes -> {
            Exception e = fault.get();
            if (e instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            if (e instanceof IOException checked) {
                throw checked;
            }
            Map<StateKind, byte[]> copy = new EnumMap<>(StateKind.class);
            changes.forEach((kind, content) -> copy.put(kind, content.clone()));
            saved.add(copy);
        };
    }

    /** Plays {@code vtpmd}; its pipe, to be closed as if it had died. */
    FramePipe startPeer(Rendezvous rendezvous, Engine engine) throws IOException {
        FramePipe pipe = peerPipe(rendezvous, rendezvous.secret());
        Thread peer = new Thread(
                () -> {
                    EngineEnd end = new EngineEnd(pipe);
                    try {
                        Engine opened = end.load(state -> engine);
                        while (true) {
                            end.serve(opened);
                        }
                    } catch (Exception e) {
                        close(pipe);
                    }
                },
                "peer");
        peer.start();
        peers.add(peer);
        return pipe;
    }

    FramePipe peerPipe(Rendezvous rendezvous, byte[] secret) throws IOException {
        FramePipe pipe = FramePipe.hold(
                Role.ENGINE,
                Path.of(rendezvous.arguments().get(1)),
                Path.of(rendezvous.arguments().get(2)),
                secret);
        pipes.add(pipe);
        return pipe;
    }

    private static void close(FramePipe pipe) {
        try {
            pipe.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    void close() throws Exception {
        for (EngineLink link : links) {
            link.close();
        }
        for (FramePipe pipe : pipes) {
            pipe.close();
        }
        for (Thread peer : peers) {
            peer.join(PATIENCE.toMillis());
        }
        fifo.stop();
    }
}
