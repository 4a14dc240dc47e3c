package org.vtpm.api.storage;

import java.time.Instant;
import java.util.Map;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;

/**
 * An instance as another host, or this one, exported it.
 *
 * @param record as it was there
 * @param exported when, to the second
 * @param state its permanent state, and the saved one if there was any; whoever got the bundle zeroes it
 */
public record InstanceBundle(InstanceRecord record, Instant exported, Map<StateKind, byte[]> state) {
    /** How long a bundle is at most, in bytes. */
    public static final int LONGEST = 4 << 20;

    /** Names no state. */
    @Override
    public String toString() {
        return "InstanceBundle[" + record.uuid() + "]";
    }
}
