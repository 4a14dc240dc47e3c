package org.vtpm.listener.swtpm;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/** Keeps a guest from filling the log: lets one line of a kind pass per interval and counts the others. Thread-safe. */
final class LogLimiter {
    private final long interval;
    private final LongSupplier clock;
    private boolean used;
    private long last;
    private long suppressed;

    /** @param clock nanoseconds, as {@link System#nanoTime} */
    LogLimiter(Duration interval, LongSupplier clock) {
        this.interval = interval.toNanos();
        this.clock = clock;
    }

    /** Whether a line may be logged now, and if so how many were suppressed since the last one. */
    synchronized OptionalLong permit() {
        long now = clock.getAsLong();
        if (used && now - last < interval) {
            suppressed++;
            return OptionalLong.empty();
        }
        used = true;
        last = now;
        long count = suppressed;
        suppressed = 0;
        return OptionalLong.of(count);
    }
}
