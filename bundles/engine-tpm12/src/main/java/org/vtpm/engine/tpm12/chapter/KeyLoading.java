package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/** Taking in a key that is encrypted by its parent: the actions of TPM_LoadKey2 (TPM Main Part 3, section 10.5). */
final class KeyLoading {
    private KeyLoading() {}

    /**
     * Decrypts and checks a key. It is not in a slot yet, but has a free handle.
     *
     * @param parent of the usage STORAGE
     */
    static LoadedKey unwrap(Transaction tx, LoadedKey parent, TpmKey key) {
        KeyProperties.check(tx, key);
        StoreAsymkey secret = decrypt(tx, parent, key.encData());
        try {
            require(Secrets.equal(secret.pubDataDigest(), key.pubDataDigest()), ReturnCode.AUTHFAIL);
            boolean migratable = key.is(KeyFlag.MIGRATABLE);
            require(key.keyUsage() != KeyUsage.IDENTITY || !migratable, ReturnCode.INVALID_KEYUSAGE);
            require(key.keyUsage() != KeyUsage.AUTHCHANGE, ReturnCode.INVALID_KEYUSAGE);
            require(
                    migratable || Secrets.equal(secret.migrationAuth(), Keys.tpmProof(tx)),
                    ReturnCode.INVALID_KEYUSAGE);
            return new LoadedKey(
                    Keys.freeHandle(tx),
                    key.withEncData(new byte[0]),
                    privateKey(key, secret),
                    secret.usageAuth().clone(),
                    secret.migrationAuth().clone(),
                    secret.payload(),
                    parent.parentPcrStatus() || parent.boundToPcrs());
        } finally {
            secret.destroy();
        }
    }

    /**
     * Decrypts the secret part of a key. The caller destroys it.
     *
     * @throws TpmException with BAD_DATASIZE, DECRYPT_ERROR, BAD_PARAM_SIZE or INVALID_STRUCTURE if it is none
     */
    static StoreAsymkey decrypt(Transaction tx, LoadedKey parent, byte[] encData) {
        byte[] plain = Oaep.decrypt(tx.environment(), parent.rsaPrivate(), encData);
        try {
            StoreAsymkey secret = Codec.of(StoreAsymkey.class).read(new ByteReader(plain));
            boolean key = switch (secret.payload()) {
                case PayloadType.ASYM, PayloadType.MIGRATE_RESTRICTED, PayloadType.MIGRATE_EXTERNAL -> true;
                default -> false;
            };
            if (!key) {
                secret.destroy();
                throw new TpmException(ReturnCode.INVALID_STRUCTURE);
            }
            return secret;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        } finally {
            Secrets.zero(plain);
        }
    }

    /** The whole private key, of which only one prime factor is stored. */
    static org.vtpm.engine.tpm12.state.RsaPrivateKey privateKey(TpmKey key, StoreAsymkey secret) {
        try {
            RsaPrivateKey whole = RsaPrivateKey.ofPrime(key.publicKey().rsa(), secret.privKey());
            return org.vtpm.engine.tpm12.state.RsaPrivateKey.of(whole.crt());
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
    }
}
