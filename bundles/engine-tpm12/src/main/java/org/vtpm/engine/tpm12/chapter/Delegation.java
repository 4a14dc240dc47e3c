package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.DelegationTables.Delegate;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.FamilyTableEntry;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmException;

/** Finding families and delegations. */
final class Delegation {
    private Delegation() {}

    /** The family with this number. */
    static FamilyTableEntry family(Transaction tx, int familyId) {
        FamilyTableEntry family = tx.permanent().delegation().family(familyId);
        if (family == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return family;
    }

    /** The delegation in a row of the table, whether or not it counts now. */
    static Delegate delegate(Transaction tx, int row) {
        Delegate delegate = tx.permanent().delegation().delegate(row);
        if (delegate == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return delegate;
    }

    /** The delegation in a row of the table, which counts. */
    static Delegate valid(Transaction tx, int row) {
        Delegate delegate = delegate(tx, row);
        requireValid(tx, delegate.pub());
        return delegate;
    }

    /** Refuses a delegation whose family is disabled, or has moved on. */
    static void requireValid(Transaction tx, DelegatePublic pub) {
        FamilyTableEntry family = family(tx, pub.familyId());
        require(family.has(FamilyTableEntry.ENABLED), ReturnCode.DISABLED_CMD);
        require(family.verificationCount() == pub.verificationCount(), ReturnCode.FAMILYCOUNT);
    }

    /** What a key delegation knows its key by. */
    static byte[] pubKeyDigest(LoadedKey key) {
        return Sha1.of(Codec.of(StorePubkey.class).encode(key.key().pubKey()));
    }
}
