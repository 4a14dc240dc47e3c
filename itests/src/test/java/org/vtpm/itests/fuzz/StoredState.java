package org.vtpm.itests.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.util.EnumMap;
import java.util.Map;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;

/** State as it may come back from a disk: each part with some bytes changed, or made up altogether. */
public final class StoredState {
    private static final FuzzGuest GUEST = new FuzzGuest();
    private static final byte[] RESUME = {0, (byte) 0xC1, 0, 0, 0, 12, 0, 0, 0, (byte) 0x99, 0, 2};

    private StoredState() {}

    /** The fuzzer's entry. */
    public static void fuzzerTestOneInput(FuzzedDataProvider input) {
        FuzzTpm tpm = GUEST.tpm();
        tpm.transmit(new byte[] {0, (byte) 0xC1, 0, 0, 0, 10, 0, 0, 0, (byte) 0x98});
        Map<StateKind, byte[]> state = new EnumMap<>(tpm.stored());
        if (input.consumeBoolean()) {
            state.put(StateKind.VOLATILE, tpm.snapshot());
        }
        tpm.close();
        for (StateKind kind : StateKind.values()) {
            byte[] part = state.getOrDefault(kind, new byte[0]);
            int changes = input.consumeInt(0, 4);
            if (changes == 4) {
                state.put(kind, input.consumeBytes(input.consumeInt(0, 4096)));
            } else {
                for (int i = 0; i < changes && part.length > 0; i++) {
                    part[input.consumeInt(0, part.length - 1)] = input.consumeByte();
                }
            }
        }
        try (Engine engine = GUEST.factory().open(state)) {
            engine.execute(0, RESUME, changes -> {});
        } catch (EngineStateException e) {
            // The answer to state that is not sound; anything else that is thrown is a fault.
        }
    }
}
