package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.SavedContexts;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.tpm12.structure.ContextBlob;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Resources that a guest's software keeps outside the TPM when it needs more than there is room for (TPM Main Part 3,
 * sections 21 and 28.1). Saving a session ends it, and its blob can be loaded once; a key stays, and its blob can be loaded
 * as often as there are slots.
 */
public final class ContextChapter implements Chapter {
    /** The last contextCount: what follows would be unlike any resource. */
    private static final int LAST_COUNT = 0xFFFFFFFE;

    private static final byte[] NO_LABEL = new byte[16];

    record SaveContext(
            int handle, int resourceType, @Fixed(16) byte[] label) {}

    record SavedContext(@Sized ContextBlob contextBlob) {
        SavedContext {
            requirePresent(contextBlob);
        }
    }

    record LoadContext(
            int entityHandle, boolean keepHandle, @Sized ContextBlob contextBlob) {
        LoadContext {
            requirePresent(contextBlob);
        }
    }

    record ResourceHandle(int handle) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("SaveContext", SaveContext.class, ContextChapter::saveContext);
        handlers.on("LoadContext", LoadContext.class, ContextChapter::loadContext);
        handlers.on("SaveKeyContext", ResourceHandle.class, ContextChapter::saveKeyContext);
        handlers.on("LoadKeyContext", SavedContext.class, ContextChapter::loadKeyContext);
        handlers.on(
                "SaveAuthContext", ResourceHandle.class, (tx, request) -> saveSession(tx, request.handle(), NO_LABEL));
        handlers.on("LoadAuthContext", SavedContext.class, ContextChapter::loadAuthContext);
    }

    private static Record saveContext(Transaction tx, SaveContext request) {
        return switch (request.resourceType()) {
            case ResourceType.KEY -> {
                require(Keys.all(tx).anyMatch(key -> key.handle() == request.handle()), ReturnCode.INVALID_RESOURCE);
                yield saveKey(tx, request.handle(), request.label());
            }
            case ResourceType.AUTH -> {
                require(tx.stClear().session(request.handle()) != null, ReturnCode.INVALID_RESOURCE);
                yield saveSession(tx, request.handle(), request.label());
            }
            case ResourceType.TRANSPORT -> saveTransport(tx, request);
            case ResourceType.DAA -> saveDaaSession(tx, request);
            default -> throw new TpmException(ReturnCode.INVALID_RESOURCE);
        };
    }

    /** As in version 1.1, the key leaves the TPM. */
    private static Record saveKeyContext(Transaction tx, ResourceHandle request) {
        Record saved = saveKey(tx, request.handle(), NO_LABEL);
        Keys.evict(tx, Keys.inSlot(tx, request.handle()));
        return saved;
    }

    private static SavedContext saveKey(Transaction tx, int handle, byte[] label) {
        LoadedKey key = Keys.inSlot(tx, handle);
        require(!Keys.evictKeys(tx).contains(key), ReturnCode.OWNER_CONTROL);
        SavedContexts contexts = tx.stClear().contexts();
        if (unset(contexts.nonceKey())) {
            contexts = contexts.withNonceKey(tx.environment().random(contexts.nonceKey().length));
            tx.stClear(tx.stClear().withContexts(contexts));
        }
        ContextBlob head = ContextBlobs.head(tx, ResourceType.KEY, handle, label, 0);
        return new SavedContext(ContextBlobs.seal(tx, head, contexts.nonceKey(), LoadedKey.class, key));
    }

    private static SavedContext saveSession(Transaction tx, int handle, byte[] label) {
        Session session = tx.stClear().session(handle);
        if (session == null) {
            throw new TpmException(ReturnCode.INVALID_AUTHHANDLE);
        }
        tx.stClear(tx.stClear().withoutSessions(each -> each.handle() == handle));
        return seal(tx, new SaveContext(handle, ResourceType.AUTH, label), Session.class, session);
    }

    private static SavedContext saveTransport(Transaction tx, SaveContext request) {
        TransportSession session = tx.stClear().transport(request.handle());
        if (session == null) {
            throw new TpmException(ReturnCode.INVALID_RESOURCE);
        }
        tx.stClear(tx.stClear().withoutTransports(each -> each.handle() == request.handle()));
        return seal(tx, request, TransportSession.class, session);
    }

    private static SavedContext saveDaaSession(Transaction tx, SaveContext request) {
        DaaSession session = tx.stClear().daaSessions().stream()
                .filter(each -> each.handle() == request.handle())
                .findFirst()
                .orElseThrow(() -> new TpmException(ReturnCode.INVALID_RESOURCE));
        tx.stClear(tx.stClear().withoutDaaSession(request.handle()));
        return seal(tx, request, DaaSession.class, session);
    }

    /** Puts a session into a blob that can be loaded once. */
    private static <T extends Record> SavedContext seal(Transaction tx, SaveContext request, Class<T> type, T session) {
        SavedContexts contexts = nextContext(tx);
        ContextBlob head =
                ContextBlobs.head(tx, request.resourceType(), request.handle(), request.label(), contexts.count());
        return new SavedContext(ContextBlobs.seal(tx, head, contexts.nonceSession(), type, session));
    }

    /** Lists one more saved session. */
    private static SavedContexts nextContext(Transaction tx) {
        SavedContexts contexts = tx.stClear().contexts();
        if (unset(contexts.nonceSession())) {
            contexts = contexts.withNonceSession(tx.environment().random(contexts.nonceSession().length));
        }
        require(contexts.count() != LAST_COUNT, ReturnCode.TOOMANYCONTEXTS);
        require(contexts.list().length < SavedContexts.MAX, ReturnCode.NOCONTEXTSPACE);
        contexts = contexts.withNext();
        tx.stClear(tx.stClear().withContexts(contexts));
        return contexts;
    }

    private static Record loadKeyContext(Transaction tx, SavedContext request) {
        ContextBlob blob = request.contextBlob();
        require(blob.resourceType() == ResourceType.KEY, ReturnCode.BAD_PARAMETER);
        return loadKey(tx, blob, false);
    }

    /** Version 1.1 does not say which entity the session is bound to: any handle of it does. */
    private static Record loadAuthContext(Transaction tx, SavedContext request) {
        ContextBlob blob = request.contextBlob();
        require(blob.resourceType() == ResourceType.AUTH, ReturnCode.BAD_PARAMETER);
        return loadSession(tx, blob, false, session -> {
            require(
                    !boundToKey(session)
                            || Keys.all(tx).anyMatch(key -> key.entity().equals(session.entity())),
                    ReturnCode.RESOURCEMISSING);
        });
    }

    private static Record loadContext(Transaction tx, LoadContext request) {
        ContextBlob blob = request.contextBlob();
        return switch (blob.resourceType()) {
            case ResourceType.KEY -> loadKey(tx, blob, request.keepHandle());
            case ResourceType.AUTH ->
                loadSession(
                        tx, blob, request.keepHandle(), session -> requireEntity(tx, session, request.entityHandle()));
            case ResourceType.TRANSPORT -> loadTransport(tx, blob, request.keepHandle());
            case ResourceType.DAA -> loadDaaSession(tx, blob, request.keepHandle());
            default -> throw new TpmException(ReturnCode.INVALID_RESOURCE);
        };
    }

    /** A blob of no bytes, which is read as none, is one that is too short. */
    private static void requirePresent(@Nullable ContextBlob blob) {
        require(blob != null, ReturnCode.BAD_PARAM_SIZE);
    }

    /** A key that must not outlive TPM_Startup(ST_CLEAR) has a nonce which does not either. */
    private static Record loadKey(Transaction tx, ContextBlob blob, boolean keepHandle) {
        ContextBlobs.Opened<LoadedKey> opened = ContextBlobs.open(tx, blob, LoadedKey.class);
        LoadedKey key = opened.resource();
        require(
                !(key.key().is(KeyFlag.IS_VOLATILE) || key.parentPcrStatus())
                        || Arrays.equals(opened.nonce(), tx.stClear().contexts().nonceKey()),
                ReturnCode.BADCONTEXT);
        int handle = handle(
                blob.handle(),
                keepHandle,
                Keys.freeHandle(tx),
                taken -> Keys.all(tx).anyMatch(each -> each.handle() == taken));
        Keys.load(tx, key.withHandle(handle));
        return new ResourceHandle(handle);
    }

    private static Record loadSession(
            Transaction tx, ContextBlob blob, boolean keepHandle, Consumer<Session> entityCheck) {
        Session session = openOnce(tx, blob, Session.class);
        entityCheck.accept(session);
        StClearState state = tx.stClear();
        int handle =
                handle(blob.handle(), keepHandle, SessionChapter.freeHandle(tx), taken -> state.session(taken) != null);
        require(state.sessions().size() < StClearState.MAX_SESSIONS, ReturnCode.RESOURCES);
        tx.stClear(state.withSession(session.withHandle(handle)));
        return new ResourceHandle(handle);
    }

    private static Record loadTransport(Transaction tx, ContextBlob blob, boolean keepHandle) {
        TransportSession session = openOnce(tx, blob, TransportSession.class);
        StClearState state = tx.stClear();
        require(state.transports().size() < StClearState.MAX_TRANSPORTS, ReturnCode.RESOURCES);
        int handle = handle(
                blob.handle(), keepHandle, TransportChapter.freeHandle(tx), taken -> state.transport(taken) != null);
        tx.stClear(state.withTransport(session.withHandle(handle)));
        return new ResourceHandle(handle);
    }

    private static Record loadDaaSession(Transaction tx, ContextBlob blob, boolean keepHandle) {
        DaaSession session = openOnce(tx, blob, DaaSession.class);
        StClearState state = tx.stClear();
        require(state.daaSessions().size() < StClearState.MAX_DAA_SESSIONS, ReturnCode.RESOURCES);
        int handle = handle(
                blob.handle(),
                keepHandle,
                DaaChapter.freeHandle(tx),
                taken -> state.daaSessions().stream().anyMatch(each -> each.handle() == taken));
        tx.stClear(state.withDaaSession(session.withHandle(handle)));
        return new ResourceHandle(handle);
    }

    /** A saved session is loaded once, and not after TPM_Startup(ST_CLEAR). */
    private static <T extends Record> T openOnce(Transaction tx, ContextBlob blob, Class<T> type) {
        ContextBlobs.Opened<T> opened = ContextBlobs.open(tx, blob, type);
        SavedContexts contexts = tx.stClear().contexts();
        require(Arrays.equals(opened.nonce(), contexts.nonceSession()), ReturnCode.BADCONTEXT);
        require(contexts.lists(blob.contextCount()), ReturnCode.BADCONTEXT);
        tx.stClear(tx.stClear().withContexts(contexts.without(blob.contextCount())));
        return opened.resource();
    }

    /**
     * The session of a key comes back only while its key is there, and the guest must say which that is. Other entities,
     * the storage root key among them, are there as long as the blob is good.
     */
    private static void requireEntity(Transaction tx, Session session, int entityHandle) {
        if (boundToKey(session)) {
            LoadedKey key;
            try {
                key = Keys.find(tx, entityHandle);
            } catch (TpmException e) {
                throw new TpmException(ReturnCode.BAD_HANDLE);
            }
            require(key.entity().equals(session.entity()), ReturnCode.RESOURCEMISSING);
        }
    }

    private static boolean boundToKey(Session session) {
        return session.protocol() != Session.OIAP && session.entity().type() == EntityType.KEY_HANDLE;
    }

    /** The handle that a resource gets: the one it had, or another if that is taken and the guest does not insist. */
    private static int handle(int had, boolean keep, int free, IntPredicate taken) {
        boolean gone = !taken.test(had);
        require(gone || !keep, ReturnCode.BAD_HANDLE);
        return gone ? had : free;
    }

    private static boolean unset(byte[] nonce) {
        return Arrays.equals(nonce, new byte[nonce.length]);
    }
}
