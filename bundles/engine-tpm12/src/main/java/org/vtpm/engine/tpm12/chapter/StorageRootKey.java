package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/** The public side of the storage root key: what TPM_TakeOwnership may ask for, and what it gets. */
final class StorageRootKey {
    static final int BITS = 2048;

    private StorageRootKey() {}

    /** Refuses parameters that no storage root key can have. */
    static void check(Transaction tx, TpmKey params) {
        require(params.keyUsage() == KeyUsage.STORAGE && !params.is(KeyFlag.MIGRATABLE), ReturnCode.INVALID_KEYUSAGE);
        KeyProperties.check(tx, params);
    }

    /** The TPM_PUBKEY of the storage root key. */
    static Pubkey publicKey(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner.srk().key().publicKey();
    }
}
