package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.U8;

/**
 * A monotonic counter (TPM Main Part 1, section 17).
 *
 * @param countId its number, 0 to {@link Counters#MAX} - 1, which a released counter leaves to another one
 * @param firstValue what it started with: no other counter of this TPM ever had that value, so that it tells counters
 *     apart that had the same number
 * @param label what its maker called it
 * @param value the count, unsigned
 * @param auth the secret that authorises to use it
 */
public record Counter(
        @U8 int countId,
        int firstValue,
        @Fixed(4) byte[] label,
        int value,
        @Fixed(20) byte[] auth) {

    /** What sessions for this counter are bound to. */
    public Entity entity() {
        return Entity.counter(firstValue);
    }

    Counter withValue(int to) {
        return new Counter(countId, firstValue, label, to, auth);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "Counter[" + countId + "]";
    }
}
