package org.vtpm.engine.tpm12.state;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;
import org.vtpm.codec.U8;
import org.vtpm.tpm12.structure.TpmKey;

/** The state's layout of version 1, which knew no loaded keys: read to be upgraded, never written. */
final class Version1 {
    private Version1() {}

    /** The permanent part. */
    record Permanent(
            PermanentFlags flags,
            @Present @Nullable Endorsement endorsement,
            @Present @Nullable FirstOwner owner,
            @Fixed(20) byte[] operatorAuth,
            @Fixed(20) byte[] dir,
            int noOwnerNvWrites,
            int restrictDelegate,
            @Counted(prefix = 2) List<NvArea> nvAreas) {

        PermanentState upgraded() {
            return PermanentState.factory(endorsement)
                    .withFlags(flags)
                    .withOwner(owner == null ? null : owner.upgraded())
                    .withOperatorAuth(operatorAuth)
                    .withDir(dir)
                    .withNoOwnerNvWrites(noOwnerNvWrites)
                    .withRestrictDelegate(restrictDelegate)
                    .withNvAreas(nvAreas);
        }
    }

    /** An owner, with the storage root key as its only key. */
    record FirstOwner(
            @Fixed(20) byte[] ownerAuth,
            @Fixed(20) byte[] tpmProof,
            @Fixed(16) byte[] contextKey,
            @Fixed(16) byte[] delegateKey,
            TpmKey srk,
            @Fixed(20) byte[] srkAuth,
            RsaPrivateKey srkPrivate) {

        Owner upgraded() {
            LoadedKey key = LoadedKey.srk(srk, srkPrivate, srkAuth, tpmProof);
            return new Owner(ownerAuth, tpmProof, contextKey, delegateKey, key, List.of());
        }
    }

    /** A session, when there was no delegation. */
    record FirstSession(
            int handle,
            @U8 int protocol,
            @U8 int adip,
            Entity entity,
            @Fixed(20) byte[] nonceEven,
            @Fixed(20) byte[] sharedSecret) {

        Session upgraded() {
            return new Session(handle, protocol, adip, entity, nonceEven, sharedSecret, null);
        }
    }

    /** The part that TPM_SaveState kept. */
    record Saved(
            StClearFlags flags,
            PcrBank pcrs,
            Lockout lockout,
            int ownerReference,
            int deferredPhysicalPresence,

            @Counted(prefix = 2, max = StClearState.MAX_SESSIONS)
            List<FirstSession> sessions,

            @Counted(prefix = 2) List<NvLocks> nvLocks) {

        StClearState upgraded() {
            StClearState state = StClearState.initial(flags.is(StClearFlags.Flag.DEACTIVATED));
            for (StClearFlags.Flag flag : StClearFlags.Flag.values()) {
                state = state.withFlag(flag, flags.is(flag));
            }
            state = state.withPcrs(pcrs).withLockout(lockout).withDeferredPhysicalPresence(deferredPhysicalPresence);
            for (FirstSession session : sessions) {
                state = state.withSession(session.upgraded());
            }
            for (NvLocks locks : nvLocks) {
                state = state.withNvLocks(locks);
            }
            return state;
        }
    }
}
