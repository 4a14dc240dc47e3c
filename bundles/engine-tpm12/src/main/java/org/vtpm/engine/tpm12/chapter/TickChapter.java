package org.vtpm.engine.tpm12.chapter;

import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.CurrentTicks;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.SignInfo;

/** Timing ticks (TPM Main Part 3, section 23). */
public final class TickChapter implements Chapter {
    record TickCount(CurrentTicks currentTime) {}

    record TickStampBlob(
            int keyHandle,
            @Fixed(20) byte[] antiReplay,
            @Fixed(20) byte[] digestToStamp) {}

    record TickStamp(CurrentTicks currentTicks, @Sized byte[] sig) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("GetTicks", NoParameters.class, TickChapter::getTicks);
        handlers.on("TickStampBlob", TickStampBlob.class, TickChapter::tickStampBlob);
    }

    private static Record getTicks(Transaction tx, NoParameters request) {
        return new TickCount(Ticks.current(tx));
    }

    private static Record tickStampBlob(Transaction tx, TickStampBlob request) {
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.IDENTITY, KeyUsage.LEGACY);
        Signature.requireSigner(key);
        CurrentTicks ticks = Ticks.current(tx);
        byte[] stamped = new ByteWriter()
                .bytes(request.digestToStamp())
                .bytes(Codec.of(CurrentTicks.class).encode(ticks))
                .finish();
        SignInfo info = SignInfo.of("TSTP", request.antiReplay(), stamped);
        return new TickStamp(ticks, Signature.ofDigest(tx, key, info.digest()));
    }
}
