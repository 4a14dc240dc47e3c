package org.vtpm.engine.tpm12.state;

import java.util.concurrent.TimeUnit;

/**
 * The defence against dictionary attacks: more than {@value #THRESHOLD} failed authorisations, of whatever entity, lock
 * all authorised commands out for a time that doubles with each further one.
 *
 * @param failures failed authorisations since the last reset
 * @param endNanos when the lockout ends, on the engine's clock; without meaning up to the threshold
 * @param resetDisabled disableResetLock: TPM_ResetLockValue has failed during this lockout
 */
public record Lockout(int failures, long endNanos, boolean resetDisabled) {
    /** Failures that are free. */
    public static final int THRESHOLD = 5;

    private static final int MAX_DOUBLINGS = 24;

    public static final Lockout NONE = new Lockout(0, 0, false);

    public Lockout {
        if (failures < 0) {
            throw new IllegalArgumentException("failed authorisations: " + failures);
        }
    }

    /** One more failure. Where a lockout has ended before it, TPM_ResetLockValue is allowed again. */
    public Lockout failed(long nowNanos) {
        int count = failures == Integer.MAX_VALUE ? failures : failures + 1;
        boolean disabled = refusesReset(nowNanos);
        int doublings = Math.min(count - THRESHOLD - 1, MAX_DOUBLINGS);
        return count <= THRESHOLD
                ? new Lockout(count, nowNanos, disabled)
                : new Lockout(count, nowNanos + (TimeUnit.SECONDS.toNanos(1) << doublings), disabled);
    }

    /** TPM_ResetLockValue failed. */
    public Lockout withResetDisabled() {
        return new Lockout(failures, endNanos, true);
    }

    /** What is left of the lockout; zero if there is none. */
    public long remainingNanos(long nowNanos) {
        return failures <= THRESHOLD ? 0 : Math.max(0, endNanos - nowNanos);
    }

    /** Whether TPM_ResetLockValue is refused: until the lockout ends during which it failed. */
    public boolean refusesReset(long nowNanos) {
        return resetDisabled && remainingNanos(nowNanos) > 0;
    }

    /** This lockout on a clock that shows {@code toNanos} now, instead of {@code fromNanos}. */
    public Lockout onClock(long fromNanos, long toNanos) {
        return new Lockout(failures, toNanos + remainingNanos(fromNanos), resetDisabled);
    }
}
