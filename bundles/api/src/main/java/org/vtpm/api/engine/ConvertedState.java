package org.vtpm.api.engine;

import java.util.List;

/**
 * Another program's state in an engine's own format.
 *
 * @param permanent for {@link EngineFactory#open}; the caller zeroes it
 * @param notes for the operator: what of the other program's state has no place here, one sentence each
 */
public record ConvertedState(byte[] permanent, List<String> notes) {
    public ConvertedState {
        notes = List.copyOf(notes);
    }

    /** Names no content. */
    @Override
    public String toString() {
        return "ConvertedState[" + notes + "]";
    }
}
