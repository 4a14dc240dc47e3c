package org.vtpm.itests.process;

import java.time.Duration;

/** Waits for something to become true, by asking again and again. */
public final class Wait {
    /** Long enough for the slowest machine; a test that passes never waits for it. */
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private static final long PAUSE_MILLIS = 5;

    /** A question that may fail while the answer is no. */
    @FunctionalInterface
    public interface Condition {
        boolean holds() throws Exception;
    }

    private Wait() {}

    /** Returns as soon as the condition holds, which has to be within two minutes. */
    public static void until(String what, Condition condition) throws InterruptedException {
        until(what, LIMIT, condition);
    }

    /**
     * Returns as soon as the condition holds.
     *
     * @param what named when it does not; an exception from the last attempt becomes the cause
     */
    public static void until(String what, Duration patience, Condition condition) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        Exception last = null;
        do {
            try {
                if (condition.holds()) {
                    return;
                }
                last = null;
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                last = e;
            }
            Thread.sleep(PAUSE_MILLIS);
        } while (System.nanoTime() < deadline);
        throw new AssertionError("not within " + patience.toSeconds() + " s: " + what, last);
    }
}
