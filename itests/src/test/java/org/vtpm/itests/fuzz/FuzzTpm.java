package org.vtpm.itests.fuzz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.itests.tpm12.TpmChannel;

/** Our engine, watched: whatever it is sent, it answers in form, without an internal fault, and goes on answering. */
final class FuzzTpm implements TpmChannel {
    private static final int HEADER = 10;
    private static final int LARGEST = 4096;
    private static final int TPM_FAIL = 9;
    private static final byte[] GET_TEST_RESULT = HexFormat.of().parseHex("00c10000000a00000054");

    private final Tpm12EngineFactory factory;
    private final Map<StateKind, byte[]> stored = new EnumMap<>(StateKind.class);
    private Engine engine;
    private int locality;

    /** Powers a TPM on with a copy of the state. */
    FuzzTpm(Tpm12EngineFactory factory, Map<StateKind, byte[]> state) {
        this.factory = factory;
        state.forEach((kind, bytes) -> stored.put(kind, bytes.clone()));
        this.engine = open();
    }

    /** The locality of the commands that follow. */
    void at(int newLocality) {
        locality = newLocality;
    }

    void powerCycle() {
        engine.close();
        engine = open();
    }

    /** A copy of what it stored. */
    Map<StateKind, byte[]> stored() {
        Map<StateKind, byte[]> copy = new EnumMap<>(StateKind.class);
        stored.forEach((kind, bytes) -> copy.put(kind, bytes.clone()));
        return copy;
    }

    byte[] snapshot() {
        return engine.snapshot();
    }

    @Override
    public byte[] transmit(byte[] command) {
        byte[] response = engine.execute(locality, command, this::save);
        ByteBuffer header = ByteBuffer.wrap(response);
        boolean inForm = response.length >= HEADER
                && response.length <= LARGEST
                && header.getShort(0) >= 0xC4
                && header.getShort(0) <= 0xC6
                && header.getInt(2) == response.length;
        if (!inForm || header.getInt(6) == TPM_FAIL) {
            throw new AssertionError("answered %s to %s"
                    .formatted(
                            HexFormat.of().formatHex(response), HexFormat.of().formatHex(command)));
        }
        return response;
    }

    /** Ends it, if it still answers. */
    @Override
    public void close() {
        transmit(GET_TEST_RESULT);
        engine.close();
    }

    private Engine open() {
        try {
            return factory.open(stored);
        } catch (EngineStateException e) {
            throw new AssertionError("the engine cannot be opened with what it stored", e);
        }
    }

    private void save(Map<StateKind, byte[]> changes) throws IOException {
        changes.forEach((kind, bytes) -> stored.put(kind, bytes.clone()));
    }
}
