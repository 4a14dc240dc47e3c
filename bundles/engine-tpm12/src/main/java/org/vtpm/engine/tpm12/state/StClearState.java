package org.vtpm.engine.tpm12.state;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.tpm12.structure.Handles;

/**
 * What TPM_Startup(ST_CLEAR) resets and TPM_SaveState keeps for TPM_Startup(ST_STATE): TPM_STCLEAR_FLAGS,
 * TPM_STCLEAR_DATA, sessions and loaded keys (TPM Main Part 2, sections 7.2, 7.5 and 7.6).
 *
 * @param ownerReference whose secret stands for the owner's: {@link Handles#OWNER} or a delegation row
 * @param deferredPhysicalPresence what physical presence was shown for in advance
 * @param nvLocks of NV areas where one of them is set
 * @param keys loaded keys, but for those that only the owner can evict
 * @param contexts what it remembers of resources that are kept outside
 * @param activeCounter countID: the counter that can be incremented, {@link Counters#NONE} or {@link Counters#RELEASED}
 * @param auditDigest of what was audited since the audit session began; zeros while there is none
 * @param transports transport sessions
 */
public record StClearState(
        StClearFlags flags,
        PcrBank pcrs,
        Lockout lockout,
        int ownerReference,
        int deferredPhysicalPresence,
        @Counted(prefix = 2, max = MAX_SESSIONS) List<Session> sessions,
        @Counted(prefix = 2) List<NvLocks> nvLocks,
        @Counted(prefix = 2, max = MAX_KEYS) List<LoadedKey> keys,
        @Counted(prefix = 2, max = MAX_DAA_SESSIONS) List<DaaSession> daaSessions,
        SavedContexts contexts,
        int activeCounter,
        @Fixed(20) byte[] auditDigest,
        @Counted(prefix = 2, max = MAX_TRANSPORTS) List<TransportSession> transports) {

    /** Most authorisation sessions at a time. */
    public static final int MAX_SESSIONS = 16;

    /** Most transport sessions at a time. */
    public static final int MAX_TRANSPORTS = 16;

    /** Key slots; keys that only the owner can evict take one too. */
    public static final int MAX_KEYS = 20;

    /** Most DAA joins and signs under way at a time. */
    public static final int MAX_DAA_SESSIONS = 2;

    /** After TPM_Startup(ST_CLEAR). */
    public static StClearState initial(boolean deactivated) {
        return new StClearState(
                new StClearFlags(0).with(StClearFlags.Flag.DEACTIVATED, deactivated),
                PcrBank.initial(),
                Lockout.NONE,
                Handles.OWNER,
                0,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                SavedContexts.NONE,
                Counters.NONE,
                new byte[20],
                List.of());
    }

    public StClearState withFlag(StClearFlags.Flag flag, boolean value) {
        return with(copy -> copy.flags = flags.with(flag, value));
    }

    public StClearState withPcrs(PcrBank to) {
        return with(copy -> copy.pcrs = to);
    }

    public StClearState withLockout(Lockout to) {
        return with(copy -> copy.lockout = to);
    }

    public StClearState withOwnerReference(int to) {
        return with(copy -> copy.ownerReference = to);
    }

    public StClearState withDeferredPhysicalPresence(int to) {
        return with(copy -> copy.deferredPhysicalPresence = to);
    }

    public StClearState withKeys(List<LoadedKey> to) {
        return with(copy -> copy.keys = List.copyOf(to));
    }

    /** Adds a DAA session, or replaces the one with its handle. */
    public StClearState withDaaSession(DaaSession session) {
        Stream<DaaSession> others = daaSessions.stream().filter(each -> each.handle() != session.handle());
        return with(copy ->
                copy.daaSessions = Stream.concat(others, Stream.of(session)).toList());
    }

    /** Ends a DAA session, if there is one with this handle. */
    public StClearState withoutDaaSession(int handle) {
        return with(copy -> copy.daaSessions =
                daaSessions.stream().filter(each -> each.handle() != handle).toList());
    }

    public StClearState withContexts(SavedContexts to) {
        return with(copy -> copy.contexts = to);
    }

    public StClearState withActiveCounter(int to) {
        return with(copy -> copy.activeCounter = to);
    }

    public StClearState withAuditDigest(byte[] to) {
        return with(copy -> copy.auditDigest = to);
    }

    /** What clearing the owner leaves of it: flags, PCRs, the audit digest and the locks of NV areas. */
    public StClearState afterOwnerClear() {
        return with(copy -> {
            copy.lockout = Lockout.NONE;
            copy.ownerReference = Handles.OWNER;
            copy.deferredPhysicalPresence = 0;
            copy.sessions = List.of();
            copy.keys = List.of();
            copy.daaSessions = List.of();
            copy.contexts = SavedContexts.NONE;
            copy.activeCounter = Counters.NONE;
            copy.transports = List.of();
        });
    }

    /** The session with this handle, or null. */
    public @Nullable Session session(int handle) {
        for (Session session : sessions) {
            if (session.handle() == handle) {
                return session;
            }
        }
        return null;
    }

    /** Adds a session, or replaces the one with its handle. */
    public StClearState withSession(Session session) {
        List<Session> changed = new ArrayList<>(sessions.size() + 1);
        boolean replaced = false;
        for (Session each : sessions) {
            boolean same = each.handle() == session.handle();
            replaced |= same;
            changed.add(same ? session : each);
        }
        if (!replaced) {
            changed.add(session);
        }
        return withSessions(changed);
    }

    /** Ends sessions. */
    public StClearState withoutSessions(Predicate<Session> ended) {
        return sessions.stream().noneMatch(ended)
                ? this
                : withSessions(sessions.stream().filter(ended.negate()).toList());
    }

    /** The transport session with this handle, or null. */
    public @Nullable TransportSession transport(int handle) {
        return transports.stream()
                .filter(each -> each.handle() == handle)
                .findFirst()
                .orElse(null);
    }

    /** Adds a transport session, or replaces the one with its handle. */
    public StClearState withTransport(TransportSession session) {
        Stream<TransportSession> others = transports.stream().filter(each -> each.handle() != session.handle());
        return with(copy ->
                copy.transports = Stream.concat(others, Stream.of(session)).toList());
    }

    /** Ends transport sessions. */
    public StClearState withoutTransports(Predicate<TransportSession> ended) {
        return transports.stream().noneMatch(ended)
                ? this
                : with(copy -> copy.transports =
                        transports.stream().filter(ended.negate()).toList());
    }

    /** The locks of an NV area. */
    public NvLocks nvLocks(int nvIndex) {
        return nvLocks.stream()
                .filter(locks -> locks.nvIndex() == nvIndex)
                .findFirst()
                .orElseGet(() -> new NvLocks(nvIndex, false, false));
    }

    /** Sets the locks of an NV area; the same object if they are set so already. */
    public StClearState withNvLocks(NvLocks locks) {
        if (nvLocks(locks.nvIndex()).equals(locks)) {
            return this;
        }
        Stream<NvLocks> others = nvLocks.stream().filter(each -> each.nvIndex() != locks.nvIndex());
        Stream<NvLocks> own = locks.read() || locks.write() ? Stream.of(locks) : Stream.empty();
        return with(copy -> copy.nvLocks = Stream.concat(others, own).toList());
    }

    private StClearState withSessions(List<Session> to) {
        return with(copy -> copy.sessions = List.copyOf(to));
    }

    private StClearState with(Consumer<Copy> change) {
        Copy copy = new Copy(this);
        change.accept(copy);
        return copy.finish();
    }

    /** A state in the making: the one place, besides the record's head, that names all components. */
    private static final class Copy {
        private StClearFlags flags;
        private PcrBank pcrs;
        private Lockout lockout;
        private int ownerReference;
        private int deferredPhysicalPresence;
        private List<Session> sessions;
        private List<NvLocks> nvLocks;
        private List<LoadedKey> keys;
        private List<DaaSession> daaSessions;
        private SavedContexts contexts;
        private int activeCounter;
        private byte[] auditDigest;
        private List<TransportSession> transports;

        Copy(StClearState of) {
            flags = of.flags;
            pcrs = of.pcrs;
            lockout = of.lockout;
            ownerReference = of.ownerReference;
            deferredPhysicalPresence = of.deferredPhysicalPresence;
            sessions = of.sessions;
            nvLocks = of.nvLocks;
            keys = of.keys;
            daaSessions = of.daaSessions;
            contexts = of.contexts;
            activeCounter = of.activeCounter;
            auditDigest = of.auditDigest;
            transports = of.transports;
        }

        StClearState finish() {
            return new StClearState(
                    flags,
                    pcrs,
                    lockout,
                    ownerReference,
                    deferredPhysicalPresence,
                    sessions,
                    nvLocks,
                    keys,
                    daaSessions,
                    contexts,
                    activeCounter,
                    auditDigest,
                    transports);
        }
    }

    void secrets(Consumer<byte[]> visitor) {
        sessions.forEach(session -> visitor.accept(session.sharedSecret()));
        keys.forEach(key -> key.secrets(visitor));
        daaSessions.forEach(session -> session.secrets(visitor));
        transports.forEach(session -> visitor.accept(session.authData()));
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "StClearState[" + flags + ", " + sessions.size() + " sessions, " + keys.size() + " keys]";
    }
}
