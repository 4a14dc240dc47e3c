package org.vtpm.engine.tpm12.state;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;
import org.vtpm.tpm12.structure.Pubkey;

/**
 * What survives loss of power: TPM_PERMANENT_FLAGS and TPM_PERMANENT_DATA (TPM Main Part 2, sections 7.1 and 7.4). A
 * command that changes it answers only after the change is durable.
 *
 * @param operatorAuth valid while the flag OPERATOR is set
 * @param dir contents of the one data integrity register, which is also NV index 0x10000001
 * @param noOwnerNvWrites NV writes that were made without an owner to authorise them
 * @param restrictDelegate TPM_CMK_DELEGATE bits
 * @param manuMaintPub the manufacturer's key for maintenance archives; once there it stays
 * @param delegation families, and the delegations that the TPM keeps itself
 * @param counters the monotonic counters
 * @param audit which ordinals are audited, and the audit counter
 */
public record PermanentState(
        PermanentFlags flags,
        @Present @Nullable Endorsement endorsement,
        @Present @Nullable Owner owner,
        @Fixed(20) byte[] operatorAuth,
        @Fixed(20) byte[] dir,
        int noOwnerNvWrites,
        int restrictDelegate,
        @Counted(prefix = 2) List<NvArea> nvAreas,
        @Present @Nullable Pubkey manuMaintPub,
        DelegationTables delegation,
        Counters counters,
        AuditSettings audit) {

    /** A part as it leaves the factory; an endorsement key that it has from there can not be revoked. */
    public static PermanentState factory(@Nullable Endorsement endorsement) {
        return new PermanentState(
                PermanentFlags.FACTORY.with(PermanentFlags.Flag.ENABLE_REVOKE_EK, endorsement == null),
                endorsement,
                null,
                new byte[20],
                new byte[20],
                0,
                0,
                List.of(),
                null,
                DelegationTables.EMPTY,
                Counters.FACTORY,
                AuditSettings.FACTORY);
    }

    /** The same object if nothing changes, so that nothing has to be stored. */
    public PermanentState withFlags(PermanentFlags to) {
        return flags.equals(to) ? this : with(copy -> copy.flags = to);
    }

    /** The same object if nothing changes, so that nothing has to be stored. */
    public PermanentState withFlag(PermanentFlags.Flag flag, boolean value) {
        return withFlags(flags.with(flag, value));
    }

    public PermanentState withEndorsement(@Nullable Endorsement to) {
        return with(copy -> copy.endorsement = to);
    }

    public PermanentState withOwner(@Nullable Owner to) {
        return with(copy -> copy.owner = to);
    }

    public PermanentState withOperatorAuth(byte[] to) {
        return with(copy -> copy.operatorAuth = to);
    }

    public PermanentState withDir(byte[] to) {
        return with(copy -> copy.dir = to);
    }

    public PermanentState withNoOwnerNvWrites(int to) {
        return with(copy -> copy.noOwnerNvWrites = to);
    }

    public PermanentState withRestrictDelegate(int to) {
        return with(copy -> copy.restrictDelegate = to);
    }

    public PermanentState withNvAreas(List<NvArea> to) {
        return with(copy -> copy.nvAreas = List.copyOf(to));
    }

    public PermanentState withManuMaintPub(Pubkey to) {
        return with(copy -> copy.manuMaintPub = to);
    }

    public PermanentState withDelegation(DelegationTables to) {
        return with(copy -> copy.delegation = to);
    }

    public PermanentState withCounters(Counters to) {
        return with(copy -> copy.counters = to);
    }

    public PermanentState withAudit(AuditSettings to) {
        return with(copy -> copy.audit = to);
    }

    /** The NV area at an index, or null. */
    public @Nullable NvArea nvArea(int nvIndex) {
        for (NvArea area : nvAreas) {
            if (area.pub().nvIndex() == nvIndex) {
                return area;
            }
        }
        return null;
    }

    /** Adds an area, or replaces the one with its index. */
    public PermanentState withNvArea(NvArea area) {
        boolean known = nvArea(area.pub().nvIndex()) != null;
        Stream<NvArea> changed =
                nvAreas.stream().map(each -> each.pub().nvIndex() == area.pub().nvIndex() ? area : each);
        return withNvAreas((known ? changed : Stream.concat(changed, Stream.of(area))).toList());
    }

    public PermanentState withoutNvArea(int nvIndex) {
        return withNvAreas(
                nvAreas.stream().filter(area -> area.pub().nvIndex() != nvIndex).toList());
    }

    private PermanentState with(Consumer<Copy> change) {
        Copy copy = new Copy(this);
        change.accept(copy);
        return copy.finish();
    }

    /** A state in the making: the one place, besides the record's head, that names all components. */
    private static final class Copy {
        private PermanentFlags flags;
        private @Nullable Endorsement endorsement;
        private @Nullable Owner owner;
        private byte[] operatorAuth;
        private byte[] dir;
        private int noOwnerNvWrites;
        private int restrictDelegate;
        private List<NvArea> nvAreas;
        private @Nullable Pubkey manuMaintPub;
        private DelegationTables delegation;
        private Counters counters;
        private AuditSettings audit;

        Copy(PermanentState of) {
            flags = of.flags;
            endorsement = of.endorsement;
            owner = of.owner;
            operatorAuth = of.operatorAuth;
            dir = of.dir;
            noOwnerNvWrites = of.noOwnerNvWrites;
            restrictDelegate = of.restrictDelegate;
            nvAreas = of.nvAreas;
            manuMaintPub = of.manuMaintPub;
            delegation = of.delegation;
            counters = of.counters;
            audit = of.audit;
        }

        PermanentState finish() {
            return new PermanentState(
                    flags,
                    endorsement,
                    owner,
                    operatorAuth,
                    dir,
                    noOwnerNvWrites,
                    restrictDelegate,
                    nvAreas,
                    manuMaintPub,
                    delegation,
                    counters,
                    audit);
        }
    }

    /** Zeroes all secrets: the state must not be used any more. */
    public void zeroSecrets() {
        secrets(secret -> Arrays.fill(secret, (byte) 0));
    }

    void secrets(Consumer<byte[]> visitor) {
        if (endorsement != null) {
            endorsement.secrets(visitor);
        }
        if (owner != null) {
            owner.secrets(visitor);
        }
        nvAreas.forEach(area -> area.secrets(visitor));
        delegation.secrets(visitor);
        counters.secrets(visitor);
        visitor.accept(operatorAuth);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "PermanentState[" + flags + "]";
    }
}
