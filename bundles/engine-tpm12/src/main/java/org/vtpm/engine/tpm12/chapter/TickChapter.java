package org.vtpm.engine.tpm12.chapter;

import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.structure.CurrentTicks;

/** Timing ticks (TPM Main Part 3, section 23). */
public final class TickChapter implements Chapter {
    record TickCount(CurrentTicks currentTime) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("GetTicks", NoParameters.class, TickChapter::getTicks);
    }

    private static Record getTicks(Transaction tx, NoParameters request) {
        return new TickCount(Ticks.current(tx));
    }
}
