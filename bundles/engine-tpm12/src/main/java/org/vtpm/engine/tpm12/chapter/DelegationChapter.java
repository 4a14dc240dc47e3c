package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.DelegationTables;
import org.vtpm.engine.tpm12.state.DelegationTables.Delegate;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.tpm12.structure.DelegateBlob;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.Delegations;
import org.vtpm.tpm12.structure.FamilyTableEntry;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Delegation (TPM Main Part 3, section 19): the owner, or whoever may use a key, lets others do some of it, who prove
 * themselves by a secret of their own. Delegations are managed by families.
 */
public final class DelegationChapter implements Chapter {
    // TPM_FAMILY_OPERATION (TPM Main Part 2, section 20.14).
    private static final int CREATE = 1;
    private static final int ENABLE = 2;
    private static final int ADMIN = 3;
    private static final int INVALIDATE = 4;

    record Manage(int familyId, int opCode, @Sized byte[] opData) {}

    record Returned(@Sized byte[] retData) {}

    record CreateKeyDelegation(
            int keyHandle,
            DelegatePublic publicInfo,
            @Fixed(20) byte[] delAuth) {}

    record CreateOwnerDelegation(
            boolean increment,
            DelegatePublic publicInfo,
            @Fixed(20) byte[] delAuth) {}

    record Blob(@Sized DelegateBlob blob) {}

    record LoadOwnerDelegation(int index, @Sized DelegateBlob.OwnerBlob blob) {
        LoadOwnerDelegation {
            requirePresent(blob);
        }

        /** A blob of no bytes, which is read as none, is one that is too short. */
        private static void requirePresent(DelegateBlob.@Nullable OwnerBlob blob) {
            require(blob != null, ReturnCode.BAD_PARAM_SIZE);
        }
    }

    record Tables(@Sized FamilyTable familyTable, @Sized DelegateTable delegateTable) {}

    record FamilyTable(@Rest List<FamilyTableEntry> families) {}

    record DelegateTable(@Rest List<DelegateRow> rows) {}

    record DelegateRow(int index, DelegatePublic pub) {}

    record UpdateVerification(@Sized byte[] inputData) {}

    record Updated(@Sized byte[] outputData) {}

    record VerifyDelegation(@Sized byte[] delegation) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("Delegate_Manage", Manage.class, DelegationChapter::manage);
        handlers.on("Delegate_CreateKeyDelegation", CreateKeyDelegation.class, DelegationChapter::createKeyDelegation);
        handlers.on(
                "Delegate_CreateOwnerDelegation",
                CreateOwnerDelegation.class,
                DelegationChapter::createOwnerDelegation);
        handlers.on("Delegate_LoadOwnerDelegation", LoadOwnerDelegation.class, DelegationChapter::loadOwnerDelegation);
        handlers.on("Delegate_ReadTable", NoParameters.class, DelegationChapter::readTable);
        handlers.on("Delegate_UpdateVerification", UpdateVerification.class, DelegationChapter::updateVerification);
        handlers.on("Delegate_VerifyDelegation", VerifyDelegation.class, DelegationChapter::verifyDelegation);
    }

    private static Record manage(Transaction tx, Manage request) {
        @Nullable FamilyTableEntry family = null;
        if (request.opCode() != CREATE) {
            family = Delegation.family(tx, request.familyId());
        }
        authorize(tx, family);
        endSessions(tx);
        byte[] data = request.opData();
        if (family == null) {
            return new Returned(create(tx, data));
        }
        DelegationTables tables = tables(tx);
        tables(
                tx,
                switch (request.opCode()) {
                    case ENABLE -> tables.with(family.with(FamilyTableEntry.ENABLED, bool(data)));
                    case ADMIN -> tables.with(family.with(FamilyTableEntry.ADMIN_LOCK, bool(data)));
                    case INVALIDATE -> tables.withoutFamily(family.familyId());
                    default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
                });
        return new Returned(new byte[0]);
    }

    private static byte[] create(Transaction tx, byte[] label) {
        DelegationTables tables = tables(tx);
        require(tables.hasFreeFamilyRow(), ReturnCode.RESOURCES);
        require(label.length == 1, ReturnCode.BAD_PARAM_SIZE);
        // Numbers are never used again: what an old blob is good for must not come back.
        require(tables.lastFamilyId() != -1, ReturnCode.RESOURCES);
        int familyId = tables.lastFamilyId() + 1;
        tables(tx, tables.withNew(new FamilyTableEntry(label[0] & 0xFF, familyId, 1, 0)));
        return new ByteWriter(Integer.BYTES).i32(familyId).finish();
    }

    private static boolean bool(byte[] data) {
        require(data.length == 1, ReturnCode.BAD_PARAM_SIZE);
        require(data[0] == 0 || data[0] == 1, ReturnCode.BAD_PARAMETER);
        return data[0] == 1;
    }

    private static Record createKeyDelegation(Transaction tx, CreateKeyDelegation request) {
        Authorizations authorizations = tx.authorizations();
        DelegatePublic pub = request.publicInfo();
        LoadedKey key = Keys.usable(tx, request.keyHandle());
        authorizations.requireSharedSecret(0);
        authorizations.verify(0, key);
        FamilyTableEntry family = Delegation.family(tx, pub.familyId());
        requireWithin(authorizations.delegation(0), family, pub);
        require(pub.permissions().delegateType() == Delegations.KEY_BITS, ReturnCode.BAD_PARAMETER);
        byte[] authValue = authorizations.decrypt(0, request.delAuth());
        try {
            DelegatePublic current = pub.withVerificationCount(family.verificationCount());
            byte[] digest = Delegation.pubKeyDigest(key);
            return new Blob(DelegationBlobs.seal(
                    tx,
                    authValue,
                    (additional, sensitive) -> DelegateBlob.KeyBlob.of(current, digest, additional, sensitive)));
        } finally {
            Secrets.zero(authValue);
        }
    }

    private static Record createOwnerDelegation(Transaction tx, CreateOwnerDelegation request) {
        Authorizations authorizations = tx.authorizations();
        DelegatePublic pub = request.publicInfo();
        authorizations.requireSharedSecret(0);
        authorizations.verifyOwner();
        FamilyTableEntry family = Delegation.family(tx, pub.familyId());
        requireWithin(authorizations.delegation(0), family, pub);
        require(pub.permissions().delegateType() == Delegations.OWNER_BITS, ReturnCode.BAD_PARAMETER);
        byte[] authValue = authorizations.decrypt(0, request.delAuth());
        try {
            if (request.increment()) {
                family = family.withNextVerificationCount();
                tables(tx, tables(tx).with(family));
                endSessions(tx);
            }
            DelegatePublic current = pub.withVerificationCount(family.verificationCount());
            return new Blob(DelegationBlobs.seal(
                    tx,
                    authValue,
                    (additional, sensitive) -> DelegateBlob.OwnerBlob.of(current, additional, sensitive)));
        } finally {
            Secrets.zero(authValue);
        }
    }

    /** Without an owner there is nothing to encrypt with and nobody to ask: anybody may load, until a family is locked. */
    private static Record loadOwnerDelegation(Transaction tx, LoadOwnerDelegation request) {
        DelegateBlob.OwnerBlob blob = request.blob();
        FamilyTableEntry family = Delegation.family(tx, blob.pub().familyId());
        require(family.has(FamilyTableEntry.ENABLED), ReturnCode.DISABLED_CMD);
        authorize(tx, family);
        boolean owned = tx.permanent().owner() != null;
        if (owned) {
            DelegationBlobs.requireIntegrity(tx, blob);
        }
        byte[] authValue =
                owned ? DelegationBlobs.authValue(tx, blob) : DelegationBlobs.plainAuthValue(blob.sensitiveArea());
        int row = request.index();
        require(row >= 0 && row < DelegationTables.DELEGATE_ROWS, ReturnCode.BADINDEX);
        endSessions(tx);
        tables(tx, tables(tx).with(new Delegate(row, blob.pub(), authValue)));
        return NoParameters.NONE;
    }

    private static Record readTable(Transaction tx, NoParameters request) {
        DelegationTables tables = tables(tx);
        return new Tables(
                new FamilyTable(tables.families().stream()
                        .map(DelegationTables.Family::entry)
                        .toList()),
                new DelegateTable(tables.delegates().stream()
                        .map(delegate -> new DelegateRow(delegate.row(), delegate.pub()))
                        .toList()));
    }

    /** Four bytes are the number of a row, anything else is a blob. */
    private static Record updateVerification(Transaction tx, UpdateVerification request) {
        byte[] input = request.inputData();
        tx.authorizations().verifyOwner();
        if (input.length == Integer.BYTES) {
            Delegate delegate = Delegation.delegate(tx, number(input));
            FamilyTableEntry family = updatable(tx, delegate.pub());
            DelegatePublic current = delegate.pub().withVerificationCount(family.verificationCount());
            tables(tx, tables(tx).with(new Delegate(delegate.row(), current, delegate.authValue())));
            return new Updated(new byte[0]);
        }
        DelegateBlob blob = DelegationBlobs.parse(input);
        DelegationBlobs.requireIntegrity(tx, blob);
        FamilyTableEntry family = updatable(tx, blob.pub());
        DelegateBlob updated = DelegationBlobs.signed(tx, blob.withVerificationCount(family.verificationCount()));
        return new Updated(Codec.of(DelegateBlob.class).encode(updated));
    }

    private static FamilyTableEntry updatable(Transaction tx, DelegatePublic pub) {
        FamilyTableEntry family = Delegation.family(tx, pub.familyId());
        requireOwnFamily(tx.authorizations().delegation(0), family);
        return family;
    }

    private static int number(byte[] bytes) {
        try {
            return new ByteReader(bytes).i32();
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }

    private static Record verifyDelegation(Transaction tx, VerifyDelegation request) {
        DelegateBlob blob = DelegationBlobs.parse(request.delegation());
        Delegation.requireValid(tx, blob.pub());
        DelegationBlobs.requireIntegrity(tx, blob);
        Secrets.zero(DelegationBlobs.authValue(tx, blob));
        return NoParameters.NONE;
    }

    /**
     * The owner manages families; without one anybody does, a limited number of times.
     *
     * @param family null if there is none yet
     */
    private static void authorize(Transaction tx, @Nullable FamilyTableEntry family) {
        if (tx.authorizations().count() > 0) {
            tx.authorizations().verifyOwner();
            requireOwnFamily(tx.authorizations().delegation(0), family);
        } else {
            require(tx.permanent().owner() == null, ReturnCode.AUTHFAIL);
            require(family == null || !family.has(FamilyTableEntry.ADMIN_LOCK), ReturnCode.DELEGATE_LOCK);
            NvBudget.require(tx);
            NvBudget.spend(tx);
        }
    }

    /** A delegation's holder manages its own family only. */
    private static void requireOwnFamily(@Nullable DelegatePublic holder, @Nullable FamilyTableEntry family) {
        require(holder == null || family == null || holder.familyId() == family.familyId(), ReturnCode.DELEGATE_FAMILY);
    }

    /** A delegation's holder passes on what it has, or less. */
    private static void requireWithin(
            @Nullable DelegatePublic holder, FamilyTableEntry family, DelegatePublic delegation) {
        requireOwnFamily(holder, family);
        if (holder != null) {
            require(family.has(FamilyTableEntry.ENABLED), ReturnCode.DISABLED_CMD);
            require(delegation.permissions().within(holder.permissions()), ReturnCode.AUTHFAIL);
        }
    }

    /** Delegations may have become void: whoever was let in by one, or might have been, asks again. */
    private static void endSessions(Transaction tx) {
        tx.stClear(tx.stClear()
                .withoutSessions(session -> session.protocol() != Session.OIAP)
                .withOwnerReference(Handles.OWNER));
    }

    private static DelegationTables tables(Transaction tx) {
        return tx.permanent().delegation();
    }

    private static void tables(Transaction tx, DelegationTables to) {
        tx.permanent(tx.permanent().withDelegation(to));
    }
}
