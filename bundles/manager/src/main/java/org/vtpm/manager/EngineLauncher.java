package org.vtpm.manager;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.ProcessTransport;
import org.vtpm.api.transport.Rendezvous;

/** Powers engines on: opens an instance's state and gives it to an engine in this JVM or in a process of its own. */
final class EngineLauncher {
    private final Services services;

    EngineLauncher(Services services) {
        this.services = services;
    }

    /**
     * The engine that an instance is powered on with.
     *
     * @throws VtpmException if there is none for it
     */
    EngineFactory factory(InstanceRecord record) throws VtpmException {
        return services.engine(record.family())
                .orElseThrow(() -> new VtpmException("no engine for TPM "
                        + record.family().label() + " is there; install the feature that brings one"));
    }

    /**
     * Powers one engine on. It has not seen a command yet.
     *
     * @param factory opens it, unless it is a process
     * @param resume whether it goes on from the snapshot in its state, which stays there; else one that is there is erased
     * @param chosen the transport that the operator chose, asked again at every relink
     * @param onDeath told the exit status when the engine's process ends, for whatever reason
     * @throws VtpmException if there is no transport for it, or its state cannot be opened
     */
    EngineHost start(
            InstanceRecord record,
            EngineFactory factory,
            boolean resume,
            Supplier<@Nullable String> chosen,
            IntConsumer onDeath)
            throws VtpmException, InterruptedException {
        FencedSink sink = new FencedSink(changes -> services.store().save(record.uuid(), changes));
        Map<StateKind, byte[]> state = load(record);
        try {
            if (resume && !state.containsKey(StateKind.VOLATILE)) {
                throw new VtpmException("there is no snapshot in its state");
            }
            if (!resume) {
                dropSnapshot(record, state);
            }
            return record.isolation() == Isolation.PROCESS
                    ? launch(record, state, sink, onDeath)
                    : open(record, factory, state, sink, chosen);
        } finally {
            state.values().forEach(part -> Arrays.fill(part, (byte) 0));
        }
    }

    /** A snapshot that nobody asked to resume is left of a suspension that was not finished, or was given up. */
    private void dropSnapshot(InstanceRecord record, Map<StateKind, byte[]> state) throws VtpmException {
        byte[] snapshot = state.remove(StateKind.VOLATILE);
        if (snapshot != null) {
            Arrays.fill(snapshot, (byte) 0);
            eraseSnapshot(record);
        }
    }

    /** Erases the snapshot from the state of an instance, durably. */
    void eraseSnapshot(InstanceRecord record) throws VtpmException {
        try {
            services.store().save(record.uuid(), Map.of(StateKind.VOLATILE, new byte[0]));
        } catch (IOException e) {
            throw new VtpmException("its snapshot cannot be erased: " + e.getMessage(), e);
        }
    }

    private Map<StateKind, byte[]> load(InstanceRecord record) throws VtpmException {
        try {
            return services.store().load(record.uuid());
        } catch (IOException e) {
            throw new VtpmException("its state cannot be opened: " + e.getMessage(), e);
        }
    }

    private EngineHost open(
            InstanceRecord record,
            EngineFactory factory,
            Map<StateKind, byte[]> state,
            FencedSink sink,
            Supplier<@Nullable String> chosen)
            throws VtpmException {
        Engine engine;
        try {
            engine = factory.open(state);
        } catch (EngineStateException e) {
            throw new VtpmException("its state cannot be used: " + e.getMessage(), e);
        }
        EngineHost host = new EngineHost(new SharedSite(record, factory, engine, sink, services, chosen));
        try {
            host.relink();
            return host;
        } catch (IOException e) {
            host.end();
            throw new VtpmException("its transport cannot be opened: " + e.getMessage(), e);
        }
    }

    private EngineHost launch(InstanceRecord record, Map<StateKind, byte[]> state, FencedSink sink, IntConsumer onDeath)
            throws VtpmException, InterruptedException {
        Settings settings = services.settings();
        ProcessTransport transport = services.processTransport(record.transport())
                .orElseThrow(() -> new VtpmException(
                        "no transport to a process of its own is there; start the bundle transport-fifo"));
        Rendezvous rendezvous;
        try {
            rendezvous = transport.prepare(record.uuid());
        } catch (IOException e) {
            throw new VtpmException("its channel cannot be made: " + e.getMessage(), e);
        }
        Process process = null;
        try {
            process = spawn(settings, record, rendezvous);
            EngineLink link = accept(transport, rendezvous, state, sink, process, settings.processStart());
            var unused = process.onExit().thenAccept(ended -> onDeath.accept(ended.exitValue()));
            ProcessSite site = new ProcessSite(process, rendezvous, sink, services, settings.processStop());
            var route = new EngineSite.Route(transport, transport.name(), () -> transport.resume(rendezvous, sink));
            return new EngineHost(site, route, link);
        } catch (IOException | InterruptedException e) {
            if (process != null) {
                process.destroyForcibly();
            }
            transport.release(rendezvous);
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            throw new VtpmException("vtpmd did not come up: " + e.getMessage(), e);
        }
    }

    /** Waits for the process to ask for its state, but not for one that has died meanwhile. */
    private static EngineLink accept(
            ProcessTransport transport,
            Rendezvous rendezvous,
            Map<StateKind, byte[]> state,
            StateSink sink,
            Process process,
            Duration patience)
            throws IOException, InterruptedException {
        Thread waiting = Thread.currentThread();
        AtomicBoolean settled = new AtomicBoolean();
        var unused = process.onExit().thenRun(() -> {
            if (settled.compareAndSet(false, true)) {
                waiting.interrupt();
            }
        });
        try {
            EngineLink link = transport.accept(rendezvous, state, sink, patience);
            if (settled.compareAndSet(false, true)) {
                return link;
            }
            link.close();
        } catch (InterruptedException e) {
            if (settled.compareAndSet(false, true)) {
                throw e;
            }
        } catch (IOException e) {
            if (settled.compareAndSet(false, true)) {
                throw e;
            }
        }
        Thread.interrupted();
        throw new IOException("it ended with exit status " + process.waitFor() + "; its own words are in vtpmd.log");
    }

    private static Process spawn(Settings settings, InstanceRecord record, Rendezvous rendezvous) throws IOException {
        List<String> command = new ArrayList<>(settings.processCommand());
        command.addAll(rendezvous.arguments());
        command.add(record.family().label());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("JAVA_") || name.equals("JDK_JAVA_OPTIONS"));
        builder.redirectOutput(
                settings.processLog() == null
                        ? ProcessBuilder.Redirect.DISCARD
                        : ProcessBuilder.Redirect.appendTo(settings.processLog().toFile()));
        Process process = builder.start();
        process.getOutputStream().write(rendezvous.secret());
        process.getOutputStream().flush();
        return process;
    }
}
