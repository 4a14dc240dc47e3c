package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.SavedContexts;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Eviction (TPM Main Part 3, section 22), and its older forms for sessions and keys. */
public final class EvictionChapter implements Chapter {
    record FlushSpecific(int handle, int resourceType) {}

    record TerminateHandle(int handle) {}

    record EvictKey(int evictHandle) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("FlushSpecific", FlushSpecific.class, EvictionChapter::flushSpecific);
        handlers.on("Terminate_Handle", TerminateHandle.class, (tx, request) -> flushSession(tx, request.handle()));
        handlers.on("EvictKey", EvictKey.class, EvictionChapter::evictKey);
    }

    private static Record flushSpecific(Transaction tx, FlushSpecific request) {
        return switch (request.resourceType()) {
            case ResourceType.AUTH -> flushSession(tx, request.handle());
            case ResourceType.KEY -> flushKey(tx, request.handle());
            case ResourceType.CONTEXT -> flushContext(tx, request.handle());
            case ResourceType.TRANSPORT -> flushTransport(tx, request.handle());
            case ResourceType.DAA -> flushDaaSession(tx, request.handle());
            default -> throw new TpmException(ReturnCode.INVALID_RESOURCE);
        };
    }

    private static Record flushSession(Transaction tx, int handle) {
        require(tx.stClear().session(handle) != null, ReturnCode.INVALID_AUTHHANDLE);
        tx.stClear(tx.stClear().withoutSessions(session -> session.handle() == handle));
        return NoParameters.NONE;
    }

    private static Record flushTransport(Transaction tx, int handle) {
        require(tx.stClear().transport(handle) != null, ReturnCode.INVALID_AUTHHANDLE);
        tx.stClear(tx.stClear().withoutTransports(session -> session.handle() == handle));
        return NoParameters.NONE;
    }

    private static Record flushDaaSession(Transaction tx, int handle) {
        DaaSession session = DaaChapter.find(tx, handle);
        tx.stClear(tx.stClear().withoutDaaSession(session.handle()));
        return NoParameters.NONE;
    }

    private static Record flushKey(Transaction tx, int handle) {
        LoadedKey key = Keys.all(tx)
                .filter(each -> each.handle() == handle)
                .findFirst()
                .orElseThrow(() -> new TpmException(ReturnCode.BAD_PARAMETER));
        Keys.evict(tx, key);
        return NoParameters.NONE;
    }

    /** Voids the blob of a saved session, whose number stands for a handle. */
    private static Record flushContext(Transaction tx, int number) {
        SavedContexts contexts = tx.stClear().contexts();
        require(contexts.lists(number), ReturnCode.BAD_PARAMETER);
        tx.stClear(tx.stClear().withContexts(contexts.without(number)));
        return NoParameters.NONE;
    }

    private static Record evictKey(Transaction tx, EvictKey request) {
        Keys.evict(tx, Keys.inSlot(tx, request.evictHandle()));
        return NoParameters.NONE;
    }
}
