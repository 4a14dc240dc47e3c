package org.vtpm.itests.karaf;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** Waits for what happens soon, but at no certain time. */
final class Patience {
    /** Long enough for the slowest machine; a test that passes never waits for it. */
    static final Duration LIMIT = Duration.ofMinutes(2);

    private static final long POLL_MS = 10;

    private Patience() {}

    /** Waits until a condition holds. */
    static void until(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("waited " + LIMIT.toSeconds() + " s in vain until " + what);
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MS);
        }
    }
}
