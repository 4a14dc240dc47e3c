package org.vtpm.listener.xen;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** How often something may be done: so many times at once, and then so many times a second. Used by one thread. */
final class Budget {
    private final long interval;
    private final long size;
    private final LongSupplier clock;
    /** When all that was taken will be there again. */
    private long full;

    /** @param clock nanoseconds, as {@link System#nanoTime} */
    Budget(int perSecond, int burst, LongSupplier clock) {
        interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
        size = interval * burst;
        this.clock = clock;
        full = clock.getAsLong();
    }

    /** Takes one, if there is one. */
    boolean take() {
        long now = clock.getAsLong();
        if (full - now < 0) {
            full = now;
        }
        if (full + interval - now > size) {
            return false;
        }
        full += interval;
        return true;
    }

    /** Takes all there is. */
    void exhaust() {
        full = clock.getAsLong() + size;
    }

    /** Nanoseconds until {@link #take} takes one; 0 if it does now. */
    long pause(long now) {
        return Math.max(0, full + interval - now - size);
    }
}
