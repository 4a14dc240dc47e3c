package org.vtpm.engine.tpm12.chapter;

import org.vtpm.codec.Sized;
import org.vtpm.codec.U32;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;

/** The random number generator (TPM Main Part 3, sections 13.6 and 13.7). */
public final class RandomChapter implements Chapter {
    /** What fits a response behind its header and the length. */
    private static final int MAX_BYTES = Command.MAX_BYTES - 14;

    record GetRandom(@U32 long bytesRequested) {}

    record RandomBytes(@Sized byte[] randomBytes) {}

    record StirRandom(@Sized byte[] inData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("GetRandom", GetRandom.class, RandomChapter::getRandom);
        handlers.on("StirRandom", StirRandom.class, RandomChapter::stirRandom);
    }

    private static Record getRandom(Transaction tx, GetRandom request) {
        return new RandomBytes(tx.environment().random((int) Math.min(request.bytesRequested(), MAX_BYTES)));
    }

    /** The guest's bytes are mixed in; they never replace the generator's own entropy. */
    private static Record stirRandom(Transaction tx, StirRandom request) {
        tx.environment().random().setSeed(request.inData());
        return NoParameters.NONE;
    }
}
