package org.vtpm.engine.tpm12.state;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;
import org.vtpm.engine.tpm12.structure.Handles;

/**
 * What TPM_Startup(ST_CLEAR) resets and TPM_SaveState keeps for TPM_Startup(ST_STATE): TPM_STCLEAR_FLAGS,
 * TPM_STCLEAR_DATA, and the sessions (TPM Main Part 2, sections 7.2, 7.5 and 7.6).
 *
 * @param ownerReference whose secret stands for the owner's: {@link Handles#OWNER} or a delegation row
 * @param deferredPhysicalPresence what physical presence was shown for in advance
 * @param nvLocks of NV areas where one of them is set
 */
public record StClearState(
        StClearFlags flags,
        PcrBank pcrs,
        Lockout lockout,
        int ownerReference,
        int deferredPhysicalPresence,
        @Counted(prefix = 2, max = MAX_SESSIONS) List<Session> sessions,
        @Counted(prefix = 2) List<NvLocks> nvLocks) {

    /** Most authorisation sessions at a time. */
    public static final int MAX_SESSIONS = 16;

    /** After TPM_Startup(ST_CLEAR). */
    public static StClearState initial(boolean deactivated) {
        return new StClearState(
                new StClearFlags(0).with(StClearFlags.Flag.DEACTIVATED, deactivated),
                PcrBank.initial(),
                Lockout.NONE,
                Handles.OWNER,
                0,
                List.of(),
                List.of());
    }

    public StClearState withFlag(StClearFlags.Flag flag, boolean value) {
        return new StClearState(
                flags.with(flag, value), pcrs, lockout, ownerReference, deferredPhysicalPresence, sessions, nvLocks);
    }

    public StClearState withPcrs(PcrBank to) {
        return new StClearState(flags, to, lockout, ownerReference, deferredPhysicalPresence, sessions, nvLocks);
    }

    public StClearState withLockout(Lockout to) {
        return new StClearState(flags, pcrs, to, ownerReference, deferredPhysicalPresence, sessions, nvLocks);
    }

    public StClearState withDeferredPhysicalPresence(int to) {
        return new StClearState(flags, pcrs, lockout, ownerReference, to, sessions, nvLocks);
    }

    /** What clearing the owner leaves of it: flags, PCRs and the locks of NV areas. */
    public StClearState afterOwnerClear() {
        return new StClearState(flags, pcrs, Lockout.NONE, Handles.OWNER, 0, List.of(), nvLocks);
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
        return new StClearState(
                flags,
                pcrs,
                lockout,
                ownerReference,
                deferredPhysicalPresence,
                sessions,
                Stream.concat(others, own).toList());
    }

    private StClearState withSessions(List<Session> to) {
        return new StClearState(
                flags, pcrs, lockout, ownerReference, deferredPhysicalPresence, List.copyOf(to), nvLocks);
    }

    Stream<byte[]> secrets() {
        return sessions.stream().map(Session::sharedSecret);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "StClearState[" + flags + ", " + sessions.size() + " sessions]";
    }
}
