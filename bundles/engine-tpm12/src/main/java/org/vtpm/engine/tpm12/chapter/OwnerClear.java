package org.vtpm.engine.tpm12.chapter;

import java.util.List;
import java.util.Map;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.NvLocks;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;

/**
 * What TPM_OwnerClear, TPM_ForceClear and TPM_RevokeTrust have in common (TPM Main Part 3, section 6.2). The endorsement
 * key, the manufacturer's maintenance key, the DIR and the PCRs stay; disabling takes effect at once, deactivating at the next TPM_Startup(ST_CLEAR).
 */
final class OwnerClear {
    private static final Map<Flag, Boolean> RESET = Map.of(
            Flag.DISABLE, true,
            Flag.DEACTIVATED, true,
            Flag.READ_PUBEK, true,
            Flag.DISABLE_OWNER_CLEAR, false,
            Flag.DISABLE_FULL_DA_LOGIC_INFO, false,
            Flag.ALLOW_MAINTENANCE, true,
            Flag.READ_SRK_PUB, false,
            Flag.OWNERSHIP, true,
            Flag.OPERATOR, false,
            Flag.MAINTENANCE_DONE, false);

    private OwnerClear() {}

    /**
     * Removes the owner with all that belongs to it.
     *
     * @param permanentAreas whether its NV areas with the D bit go too
     */
    static void run(Transaction tx, boolean permanentAreas) {
        List<NvArea> gone = tx.permanent().nvAreas().stream()
                .filter(area -> goesWithOwner(area, permanentAreas))
                .toList();
        List<NvArea> kept = tx.permanent().nvAreas().stream()
                .filter(area -> !goesWithOwner(area, permanentAreas))
                .toList();
        PermanentFlags flags = tx.permanent().flags();
        for (Map.Entry<Flag, Boolean> reset : RESET.entrySet()) {
            flags = flags.with(reset.getKey(), reset.getValue());
        }
        tx.permanent(tx.permanent()
                .withOwner(null)
                .withOperatorAuth(new byte[Sha1.LENGTH])
                .withNoOwnerNvWrites(0)
                .withRestrictDelegate(0)
                .withNvAreas(kept)
                .withDelegation(tx.permanent().delegation().cleared())
                .withCounters(tx.permanent().counters().cleared())
                .withAudit(tx.permanent().audit().withDefaults())
                .withFlags(flags));
        StClearState stClear = tx.stClear().afterOwnerClear();
        for (NvArea area : gone) {
            stClear = stClear.withNvLocks(new NvLocks(area.pub().nvIndex(), false, false));
        }
        tx.stClear(stClear);
    }

    private static boolean goesWithOwner(NvArea area, boolean permanentAreas) {
        int nvIndex = area.pub().nvIndex();
        boolean owned = area.pub().permission().has(Permission.OWNERREAD)
                || area.pub().permission().has(Permission.OWNERWRITE);
        return nvIndex == NvIndex.GPIO_00 || (owned && (permanentAreas || !NvIndex.permanent(nvIndex)));
    }
}
