package org.vtpm.engine.tpm12.chapter;

import java.util.concurrent.TimeUnit;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.TickSession;
import org.vtpm.tpm12.structure.CurrentTicks;

/** Reading the tick counter. */
final class Ticks {
    /** Microseconds per tick. */
    private static final int RATE = 1;

    private Ticks() {}

    /**
     * The count now. It is one number of ticks, as the specification has it; libtpms puts seconds and microseconds into
     * two halves.
     */
    static CurrentTicks current(Transaction tx) {
        TickSession session = tx.volatiles().ticks();
        long elapsed = tx.environment().nanoClock().getAsLong() - session.startNanos();
        return new CurrentTicks(TimeUnit.NANOSECONDS.toMicros(elapsed) / RATE, RATE, session.nonce());
    }
}
