package org.vtpm.itests.sidebyside;

import java.io.IOException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StateKind;
import org.vtpm.itests.tpm12.coverage.Exercised;

/** Our engine in this JVM; what it saves stays in memory. */
final class EngineTarget implements Target {
    private final EngineFactory factory;
    private final Exercised exercised;
    private final Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
    private @Nullable Engine engine;
    private int locality;

    EngineTarget(EngineFactory factory, Exercised exercised) {
        this.factory = factory;
        this.exercised = exercised;
    }

    @Override
    public void powerOn(Map<String, byte[]> kept) throws IOException {
        close();
        locality = 0;
        state.clear();
        kept.forEach((kind, bytes) -> state.put(StateKind.valueOf(kind), bytes.clone()));
        state.computeIfAbsent(StateKind.PERMANENT, kind -> factory.manufacture(false));
        try {
            engine = factory.open(state);
        } catch (EngineStateException e) {
            throw new IOException(e);
        }
    }

    @Override
    public Map<String, byte[]> powerOff() {
        close();
        Map<String, byte[]> kept = new HashMap<>();
        state.forEach((kind, bytes) -> kept.put(kind.name(), bytes));
        return kept;
    }

    @Override
    public void locality(int to) {
        locality = to;
    }

    @Override
    public byte[] transmit(byte[] command) throws IOException {
        byte[] response = powered().execute(locality, command, this::save);
        exercised.count(command, response);
        return response;
    }

    /** Gives a signal of a dynamic launch; the result is the TPM's return code. */
    int signal(LaunchSignal signal, byte[] data) throws IOException {
        return powered().dynamicLaunch(signal, data, this::save);
    }

    private Engine powered() throws IOException {
        if (engine == null) {
            throw new IOException("the engine has no power");
        }
        return engine;
    }

    private void save(Map<StateKind, byte[]> changes) {
        changes.forEach((kind, bytes) -> {
            if (bytes.length == 0) {
                state.remove(kind);
            } else {
                state.put(kind, bytes.clone());
            }
        });
    }

    @Override
    public void close() {
        if (engine != null) {
            engine.close();
            engine = null;
        }
    }
}
