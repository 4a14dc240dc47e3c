package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.jspecify.annotations.Nullable;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.structure.Algorithm;
import org.vtpm.engine.tpm12.structure.KeyParms;
import org.vtpm.engine.tpm12.structure.PcrInfo;
import org.vtpm.engine.tpm12.structure.PcrInfoLong;
import org.vtpm.engine.tpm12.structure.Pubkey;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.StorePubkey;
import org.vtpm.engine.tpm12.structure.TpmException;
import org.vtpm.engine.tpm12.structure.TpmKey;

/** The public side of the storage root key: what TPM_TakeOwnership may ask for, and what it gets. */
final class StorageRootKey {
    static final int BITS = 2048;

    /** TPM_KEY_USAGE. */
    private static final int STORAGE = 0x0011;

    /** TPM_KEY_FLAGS. */
    private static final int MIGRATABLE = 0x0000_0002;

    private static final int PRIMES = 2;

    private StorageRootKey() {}

    /** Refuses parameters that no storage root key can have. */
    static void check(TpmKey params) {
        require(params.keyUsage() == STORAGE && (params.keyFlags() & MIGRATABLE) == 0, ReturnCode.INVALID_KEYUSAGE);
        KeyParms parms = params.algorithmParms();
        require(
                parms.algorithmId() == Algorithm.RSA
                        && parms.encScheme() == Algorithm.ES_RSAESOAEP_SHA1_MGF1
                        && parms.sigScheme() == Algorithm.SS_NONE
                        && parms.rsa().keyLength() == BITS
                        && parms.rsa().numPrimes() == PRIMES
                        && parms.rsa().exponent().length == 0,
                ReturnCode.BAD_KEY_PROPERTY);
    }

    /** The parameters with the key that was made for them, and the PCRs as they were then. */
    static TpmKey complete(Transaction tx, TpmKey params, byte[] modulus) {
        StorePubkey pubKey = new StorePubkey(modulus);
        if (params instanceof TpmKey.Key12 key) {
            return new TpmKey.Key12(
                    key.keyUsage(),
                    key.keyFlags(),
                    key.authDataUsage(),
                    key.algorithmParms(),
                    created(tx, key.pcrInfo()),
                    pubKey,
                    new byte[0]);
        }
        TpmKey.Key key = (TpmKey.Key) params;
        return new TpmKey.Key(
                key.keyUsage(),
                key.keyFlags(),
                key.authDataUsage(),
                key.algorithmParms(),
                created(tx, key.pcrInfo()),
                pubKey,
                new byte[0]);
    }

    /** The TPM_PUBKEY of the storage root key. */
    static Pubkey publicKey(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return new Pubkey(owner.srk().algorithmParms(), owner.srk().pubKey());
    }

    private static @Nullable PcrInfo created(Transaction tx, @Nullable PcrInfo info) {
        return info == null
                ? null
                : new PcrInfo(
                        info.pcrSelection(),
                        info.digestAtRelease(),
                        PcrConditions.digestAtCreation(tx, info.pcrSelection()));
    }

    private static @Nullable PcrInfoLong created(Transaction tx, @Nullable PcrInfoLong info) {
        return info == null
                ? null
                : new PcrInfoLong(
                        1 << tx.locality(),
                        info.localityAtRelease(),
                        info.creationPcrSelection(),
                        info.releasePcrSelection(),
                        PcrConditions.digestAtCreation(tx, info.creationPcrSelection()),
                        info.digestAtRelease());
    }
}
