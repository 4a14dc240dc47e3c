package org.vtpm.engine.tpm12.state;

import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.U8;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.FamilyTableEntry;

/**
 * The family and the delegate table (TPM Main Part 2, sections 20.3 to 20.6). Both go with the owner.
 *
 * @param lastFamilyId the number of the newest family; it is never reset, lest an old blob becomes good for a new family
 * @param families ascending by row
 * @param delegates ascending by row
 */
public record DelegationTables(
        int lastFamilyId,
        @Counted(prefix = 2, max = FAMILY_ROWS) List<Family> families,
        @Counted(prefix = 2, max = DELEGATE_ROWS) List<Delegate> delegates) {

    /** Most families at a time. */
    public static final int FAMILY_ROWS = 16;

    /** Most owner delegations that the TPM keeps itself. */
    public static final int DELEGATE_ROWS = 4;

    public static final DelegationTables EMPTY = new DelegationTables(0, List.of(), List.of());

    /** A row of the family table. */
    public record Family(@U8 int row, FamilyTableEntry entry) {}

    /** TPM_DELEGATE_TABLE_ROW: a row of the delegate table, which holds owner delegations. */
    public record Delegate(
            @U8 int row, DelegatePublic pub, @Fixed(20) byte[] authValue) {
        /** Names no secret. */
        @Override
        public String toString() {
            return "Delegate[" + row + "]";
        }
    }

    /** The family with this number, or null. */
    public @Nullable FamilyTableEntry family(int familyId) {
        for (Family family : families) {
            if (family.entry().familyId() == familyId) {
                return family.entry();
            }
        }
        return null;
    }

    /** The delegation in a row, or null if there is no such row or nothing in it. */
    public @Nullable Delegate delegate(int row) {
        for (Delegate delegate : delegates) {
            if (delegate.row() == row) {
                return delegate;
            }
        }
        return null;
    }

    /** Whether there is room for one more family. */
    public boolean hasFreeFamilyRow() {
        return families.size() < FAMILY_ROWS;
    }

    /** Adds a family, which becomes the newest, in the first free row. */
    public DelegationTables withNew(FamilyTableEntry entry) {
        IntPredicate free = row -> families.stream().noneMatch(family -> family.row() == row);
        int row = IntStream.range(0, FAMILY_ROWS).filter(free).findFirst().orElseThrow();
        return new DelegationTables(
                entry.familyId(),
                Stream.concat(families.stream(), Stream.of(new Family(row, entry)))
                        .sorted(Comparator.comparingInt(Family::row))
                        .toList(),
                delegates);
    }

    /** Replaces the family with this number. */
    public DelegationTables with(FamilyTableEntry entry) {
        return new DelegationTables(
                lastFamilyId,
                families.stream()
                        .map(family -> family.entry().familyId() == entry.familyId()
                                ? new Family(family.row(), entry)
                                : family)
                        .toList(),
                delegates);
    }

    /** Fills a row, or replaces what is in it. */
    public DelegationTables with(Delegate delegate) {
        Stream<Delegate> others = delegates.stream().filter(each -> each.row() != delegate.row());
        return new DelegationTables(
                lastFamilyId,
                families,
                Stream.concat(others, Stream.of(delegate))
                        .sorted(Comparator.comparingInt(Delegate::row))
                        .toList());
    }

    /** Removes a family and its delegations. */
    public DelegationTables withoutFamily(int familyId) {
        return new DelegationTables(
                lastFamilyId,
                families.stream()
                        .filter(family -> family.entry().familyId() != familyId)
                        .toList(),
                delegates.stream()
                        .filter(delegate -> delegate.pub().familyId() != familyId)
                        .toList());
    }

    /** What clearing the owner leaves. */
    public DelegationTables cleared() {
        return new DelegationTables(lastFamilyId, List.of(), List.of());
    }

    void secrets(Consumer<byte[]> visitor) {
        delegates.forEach(delegate -> visitor.accept(delegate.authValue()));
    }
}
