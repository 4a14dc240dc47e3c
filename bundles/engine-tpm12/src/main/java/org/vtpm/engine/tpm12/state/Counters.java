package org.vtpm.engine.tpm12.state;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;

/**
 * The monotonic counters (TPM Main Part 1, section 17).
 *
 * @param highest the greatest value that any counter ever had, unsigned: no counter starts at or below it, so that
 *     releasing a counter and making it anew does not turn it back. Nothing resets it
 * @param all the counters that exist, in the order in which they were made
 */
public record Counters(
        int highest, @Counted(prefix = 1, max = MAX) List<Counter> all) {
    /** Most counters at a time. */
    public static final int MAX = 8;

    /** No counter, as TPM_STCLEAR_DATA's countID has it (TPM Main Part 2, section 7.5). */
    public static final int NONE = 0xFFFFFFFF;

    /** The active counter was released: none can be incremented until the next TPM_Startup(ST_CLEAR). */
    public static final int RELEASED = 0xFFFFFFFE;

    /** The last value that a counter can have. */
    public static final int LAST_VALUE = 0xFFFFFFFF;

    /** As a part leaves the factory. */
    public static final Counters FACTORY = new Counters(0, List.of());

    /** The counter of this number, or null. */
    public @Nullable Counter find(int countId) {
        for (Counter counter : all) {
            if (counter.countId() == countId) {
                return counter;
            }
        }
        return null;
    }

    /** The lowest number that no counter has, or {@link #NONE}. */
    public int freeId() {
        return IntStream.range(0, MAX)
                .filter(countId -> find(countId) == null)
                .findFirst()
                .orElse(NONE);
    }

    public Counters with(Counter counter) {
        return new Counters(
                counter.value(), Stream.concat(all.stream(), Stream.of(counter)).toList());
    }

    /** Counts one up. */
    public Counters incremented(Counter counter) {
        Counter next = counter.withValue(counter.value() + 1);
        int top = Integer.compareUnsigned(next.value(), highest) > 0 ? next.value() : highest;
        return new Counters(
                top,
                all.stream()
                        .map(each -> each.countId() == next.countId() ? next : each)
                        .toList());
    }

    public Counters without(Counter counter) {
        return new Counters(
                highest,
                all.stream().filter(each -> each.countId() != counter.countId()).toList());
    }

    /** Without any counter, but with the memory of their values. */
    public Counters cleared() {
        return new Counters(highest, List.of());
    }

    void secrets(Consumer<byte[]> visitor) {
        all.forEach(counter -> visitor.accept(counter.auth()));
    }
}
