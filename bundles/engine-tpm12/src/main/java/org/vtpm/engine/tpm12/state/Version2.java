package org.vtpm.engine.tpm12.state;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;

/**
 * The state's layout of version 2, which had loaded keys, but no counters, delegation, contexts or transport sessions:
 * read to be upgraded, never written.
 */
final class Version2 {
    private Version2() {}

    /** The permanent part. */
    record Permanent(
            PermanentFlags flags,
            @Present @Nullable Endorsement endorsement,
            @Present @Nullable Owner owner,
            @Fixed(20) byte[] operatorAuth,
            @Fixed(20) byte[] dir,
            int noOwnerNvWrites,
            int restrictDelegate,
            @Counted(prefix = 2) List<NvArea> nvAreas) {

        PermanentState upgraded() {
            return PermanentState.factory(endorsement)
                    .withFlags(flags)
                    .withOwner(owner)
                    .withOperatorAuth(operatorAuth)
                    .withDir(dir)
                    .withNoOwnerNvWrites(noOwnerNvWrites)
                    .withRestrictDelegate(restrictDelegate)
                    .withNvAreas(nvAreas);
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
            List<Version1.FirstSession> sessions,

            @Counted(prefix = 2) List<NvLocks> nvLocks,

            @Counted(prefix = 2, max = StClearState.MAX_KEYS)
            List<LoadedKey> keys) {

        /** An owner reference other than the owner meant nothing yet. */
        StClearState upgraded() {
            return new Version1.Saved(flags, pcrs, lockout, ownerReference, deferredPhysicalPresence, sessions, nvLocks)
                    .upgraded()
                    .withKeys(keys);
        }
    }
}
