package org.vtpm.engine.tpm12.chapter;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.PcrInfo;
import org.vtpm.tpm12.structure.PcrInfoLong;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.RsaKeyParms;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmKey;

/** Making keys: what TPM_CreateWrapKey, TPM_CMK_CreateKey, TPM_MakeIdentity and TPM_TakeOwnership have in common. */
final class KeyCreation {
    /** The revision bytes of a version that this TPM writes (TPM Main Part 2, section 5.1). */
    static final int NO_REVISION = 0;

    private KeyCreation() {}

    /** Makes the key that checked parameters describe. The caller destroys it. */
    static RsaPrivateKey generate(Transaction tx, TpmKey params) {
        RsaKeyParms parms = params.algorithmParms().rsa();
        return tx.environment().newRsaKey(parms.keyLength(), parms.publicExponent());
    }

    /** The parameters with the key that was made for them, and the PCRs as they were then. */
    static TpmKey complete(Transaction tx, TpmKey params, byte[] modulus) {
        StorePubkey pubKey = new StorePubkey(modulus);
        byte[] encData = {};
        if (params instanceof TpmKey.Key12 key) {
            return new TpmKey.Key12(
                    key.fill(),
                    key.keyUsage(),
                    key.keyFlags(),
                    key.authDataUsage(),
                    key.algorithmParms(),
                    created(tx, key.pcrInfo()),
                    pubKey,
                    encData);
        }
        TpmKey.Key key = (TpmKey.Key) params;
        return new TpmKey.Key(
                NO_REVISION,
                key.keyUsage(),
                key.keyFlags(),
                key.authDataUsage(),
                key.algorithmParms(),
                created(tx, key.pcrInfo()),
                pubKey,
                encData);
    }

    /**
     * Makes a key under a parent.
     *
     * @param params checked
     * @param payload see {@link org.vtpm.tpm12.structure.PayloadType}
     * @param usageAuth not copied
     * @param migrationAuth tpmProof if the key can not be migrated; not copied
     */
    static TpmKey wrapped(
            Transaction tx, LoadedKey parent, TpmKey params, int payload, byte[] usageAuth, byte[] migrationAuth) {
        return wrapped(tx, parent, params, payload, usageAuth, made -> migrationAuth);
    }

    /**
     * Makes a key under a parent.
     *
     * @param migrationAuth gives the secret for the public part of the key that was made
     */
    static TpmKey wrapped(
            Transaction tx,
            LoadedKey parent,
            TpmKey params,
            int payload,
            byte[] usageAuth,
            Function<Pubkey, byte[]> migrationAuth) {
        RsaPrivateKey made = generate(tx, params);
        try {
            return wrapped(tx, parent, params, made, payload, usageAuth, migrationAuth);
        } finally {
            made.destroy();
        }
    }

    /** The same for a key that has been made; the caller goes on using it, and destroys it. */
    static TpmKey wrapped(
            Transaction tx,
            LoadedKey parent,
            TpmKey params,
            RsaPrivateKey made,
            int payload,
            byte[] usageAuth,
            Function<Pubkey, byte[]> migrationAuth) {
        TpmKey key = complete(tx, params, made.publicKey().modulus());
        return key.withEncData(wrap(
                tx,
                parent.rsaPublic(),
                new StoreAsymkey(
                        payload,
                        usageAuth,
                        migrationAuth.apply(key.publicKey()),
                        key.pubDataDigest(),
                        made.crt().p())));
    }

    /** Encrypts the secret part of a key for its parent. */
    static byte[] wrap(Transaction tx, RsaPublicKey parent, StoreAsymkey secret) {
        byte[] plain = Codec.of(StoreAsymkey.class).encode(secret);
        try {
            return Oaep.encrypt(tx.environment(), parent, plain);
        } finally {
            Secrets.zero(plain);
        }
    }

    private static @Nullable PcrInfo created(Transaction tx, @Nullable PcrInfo info) {
        return info == null
                ? null
                : new PcrInfo(
                        info.pcrSelection(), info.digestAtRelease(), PcrConditions.current(tx, info.pcrSelection()));
    }

    private static @Nullable PcrInfoLong created(Transaction tx, @Nullable PcrInfoLong info) {
        return info == null
                ? null
                : new PcrInfoLong(
                        1 << tx.locality(),
                        info.localityAtRelease(),
                        info.creationPcrSelection(),
                        info.releasePcrSelection(),
                        PcrConditions.current(tx, info.creationPcrSelection()),
                        info.digestAtRelease());
    }
}
