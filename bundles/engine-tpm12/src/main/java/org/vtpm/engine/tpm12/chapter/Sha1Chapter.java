package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Sha1Thread;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Hashing for a platform that cannot yet do it itself (TPM Main Part 3, sections 13.1 to 13.4). There is one thread of it,
 * outside of transport sessions or within one of them; any other command and any error ends it.
 */
public final class Sha1Chapter implements Chapter {
    private static final int BLOCK = 64;
    /** Most bytes in one update: whole blocks that fit the input buffer. */
    private static final int MAX_BYTES = 4032;

    record SizeHint(int maxNumBytes) {}

    record Update(@Sized byte[] hashData) {}

    record Complete(@Sized byte[] hashData) {}

    record Hash(@Fixed(20) byte[] hashValue) {}

    record CompleteExtend(int pcrNum, @Sized byte[] hashData) {}

    record HashAndPcr(
            @Fixed(20) byte[] hashValue, @Fixed(20) byte[] outDigest) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("SHA1Start", NoParameters.class, Sha1Chapter::start);
        handlers.on("SHA1Update", Update.class, Sha1Chapter::update);
        handlers.on("SHA1Complete", Complete.class, Sha1Chapter::complete);
        handlers.on("SHA1CompleteExtend", CompleteExtend.class, Sha1Chapter::completeExtend);
    }

    private static Record start(Transaction tx, NoParameters request) {
        keep(tx, new Sha1());
        return new SizeHint(MAX_BYTES);
    }

    private static Record update(Transaction tx, Update request) {
        Sha1 thread = take(tx);
        int size = request.hashData().length;
        require(size % BLOCK == 0 && size <= MAX_BYTES, ReturnCode.SHA_ERROR);
        keep(tx, thread.update(request.hashData()));
        return NoParameters.NONE;
    }

    private static Record complete(Transaction tx, Complete request) {
        return new Hash(finish(tx, request.hashData()));
    }

    private static Record completeExtend(Transaction tx, CompleteExtend request) {
        byte[] hash = finish(tx, request.hashData());
        return new HashAndPcr(hash, IntegrityChapter.extend(tx, request.pcrNum(), hash));
    }

    private static byte[] finish(Transaction tx, byte[] last) {
        boolean fits = last.length <= BLOCK;
        if (!fits) {
            tx.stick(state -> state.withVolatiles(state.volatiles().withSha1Thread(null)));
        }
        require(fits, ReturnCode.SHA_ERROR);
        return take(tx).update(last).digest();
    }

    /** The thread, which is over unless {@link #keep} goes on with it. */
    private static Sha1 take(Transaction tx) {
        Sha1Thread thread = tx.volatiles().sha1Thread();
        if (thread == null) {
            throw new TpmException(ReturnCode.SHA_THREAD);
        }
        tx.stick(state -> state.withVolatiles(state.volatiles().withSha1Thread(null)));
        return Sha1.resume(thread.suspended());
    }

    private static void keep(Transaction tx, Sha1 thread) {
        TransportSession transport = tx.transport();
        int owner = transport == null ? 0 : transport.handle();
        tx.volatiles(tx.volatiles().withSha1Thread(new Sha1Thread(thread.suspend(), owner)));
    }
}
