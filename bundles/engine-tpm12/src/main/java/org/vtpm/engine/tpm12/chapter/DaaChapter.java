package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Direct anonymous attestation (TPM Main Part 3, section 26). Both commands go through a number of stages, each of which is
 * a command of its own that the owner authorises; the session between them ends with the last stage, or with any error.
 */
public final class DaaChapter implements Chapter {
    record Stage(
            int handle,
            @U8 int stage,
            @Sized byte[] inputData0,
            @Sized byte[] inputData1) {}

    record OutputData(@Sized byte[] outputData) {}

    /** Makes the session in stage 0. */
    @FunctionalInterface
    private interface Begin {
        DaaSession session(int handle, Stage request);
    }

    /** Carries out the stages after it. */
    @FunctionalInterface
    private interface Run {
        byte[] output(DaaStage work, int stage);
    }

    @Override
    public void register(Handlers handlers) {
        handlers.on(
                "DAA_Join",
                Stage.class,
                (tx, request) -> run(
                        tx,
                        request,
                        DaaJoin.LAST,
                        (handle, first) -> DaaJoin.begin(handle, first.inputData0()),
                        DaaJoin::run));
        handlers.on(
                "DAA_Sign",
                Stage.class,
                (tx, request) -> run(
                        tx,
                        request,
                        DaaSign.LAST,
                        (handle, first) -> DaaSign.begin(handle, DaaStage.issuer(first.inputData0())),
                        DaaSign::run));
    }

    private static Record run(Transaction tx, Stage request, int last, Begin begin, Run run) {
        if (request.stage() == 0) {
            tx.authorizations().verifyOwner();
            require(tx.stClear().daaSessions().size() < StClearState.MAX_DAA_SESSIONS, ReturnCode.RESOURCES);
            DaaSession session = begin.session(freeHandle(tx), request);
            tx.stClear(tx.stClear().withDaaSession(session));
            return new OutputData(
                    new ByteWriter(Integer.BYTES).i32(session.handle()).finish());
        }
        try {
            return next(tx, request, last, run);
        } catch (RuntimeException e) {
            tx.stick(state -> state.withStClear(state.stClear().withoutDaaSession(request.handle())));
            throw e;
        }
    }

    private static Record next(Transaction tx, Stage request, int last, Run run) {
        tx.authorizations().verifyOwner();
        DaaSession session = find(tx, request.handle());
        require(session.stage() == request.stage(), ReturnCode.DAA_STAGE);
        DaaStage work = new DaaStage(tx, session, request.inputData0(), request.inputData1());
        byte[] output = run.output(work, request.stage());
        tx.stClear(
                request.stage() == last
                        ? tx.stClear().withoutDaaSession(session.handle())
                        : tx.stClear().withDaaSession(work.session()));
        return new OutputData(output);
    }

    /** The session with this handle. */
    static DaaSession find(Transaction tx, int handle) {
        return tx.stClear().daaSessions().stream()
                .filter(session -> session.handle() == handle)
                .findFirst()
                .orElseThrow(() -> new TpmException(ReturnCode.BAD_HANDLE));
    }

    /** A handle that no DAA session has. */
    static int freeHandle(Transaction tx) {
        while (true) {
            int handle = (ResourceType.DAA << 24) | tx.environment().random().nextInt(1 << 24);
            if (tx.stClear().daaSessions().stream().noneMatch(session -> session.handle() == handle)) {
                return handle;
            }
        }
    }
}
