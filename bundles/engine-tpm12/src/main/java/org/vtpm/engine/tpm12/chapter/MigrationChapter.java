package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.MigrateScheme;
import org.vtpm.tpm12.structure.MigrationKeyAuth;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.TpmException;

/** Migration of keys whose owner decides over it (TPM Main Part 3, sections 11.1 to 11.4). */
public final class MigrationChapter implements Chapter {
    private static final int MIN_BITS = 2048;

    record AuthorizeMigrationKey(@U16 int migrationScheme, Pubkey migrationKey) {}

    record CreateMigrationBlob(
            int parentHandle,
            @U16 int migrationType,
            MigrationKeyAuth migrationKeyAuth,
            @Sized byte[] encData) {}

    record Blob(@Sized byte[] random, @Sized byte[] outData) {}

    record ConvertMigrationBlob(
            int parentHandle, @Sized byte[] inData, @Sized byte[] random) {}

    record MigrateKey(int maKeyHandle, Pubkey pubKey, @Sized byte[] inData) {}

    record OutData(@Sized byte[] outData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("AuthorizeMigrationKey", AuthorizeMigrationKey.class, MigrationChapter::authorizeMigrationKey);
        handlers.on("CreateMigrationBlob", CreateMigrationBlob.class, MigrationChapter::createMigrationBlob);
        handlers.on("ConvertMigrationBlob", ConvertMigrationBlob.class, MigrationChapter::convertMigrationBlob);
        handlers.on("MigrateKey", MigrateKey.class, MigrationChapter::migrateKey);
    }

    /** The strength of the key is looked at before the owner's authorisation, as libtpms does. */
    private static Record authorizeMigrationKey(Transaction tx, AuthorizeMigrationKey request) {
        Pubkey key = request.migrationKey();
        requireStrong(key);
        tx.authorizations().verifyOwner();
        require(key.algorithmParms().encScheme() == Algorithm.ES_RSAESOAEP_SHA1_MGF1, ReturnCode.INAPPROPRIATE_ENC);
        return new MigrationKeyAuth(key, request.migrationScheme(), digest(tx, key, request.migrationScheme()));
    }

    /** With one authorisation block it is the migrated key's, and the parent must need none. */
    private static Record createMigrationBlob(Transaction tx, CreateMigrationBlob request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        int entityBlock = authorizations.count() - 1;
        if (entityBlock == 0) {
            Keys.requireNoAuthorization(parent);
        } else {
            authorizations.verify(0, parent);
        }
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        StoreAsymkey secret = KeyLoading.decrypt(tx, parent, request.encData());
        try {
            require(secret.payload() == PayloadType.ASYM, ReturnCode.BAD_MIGRATION);
            authorizations.requireProtocol(entityBlock, Session.OIAP);
            // A copy: the response is authorised with it after the key's secrets are zeroed.
            authorizations.verify(
                    entityBlock, Entity.NONE, secret.migrationAuth().clone(), ReturnCode.AUTH2FAIL);
            MigrationKeyAuth destination = request.migrationKeyAuth();
            requireAuthorized(tx, destination);
            RsaPublicKey key = destination.migrationKey().rsa();
            return switch (request.migrationType()) {
                case MigrateScheme.MIGRATE -> {
                    byte[] pad = tx.environment().random(MigrationBlob.padLength(secret));
                    yield new Blob(
                            pad,
                            MigrationBlob.make(
                                    tx,
                                    secret,
                                    PayloadType.MIGRATE,
                                    secret.usageAuth(),
                                    secret.migrationAuth(),
                                    pad,
                                    key));
                }
                case MigrateScheme.REWRAP -> new Blob(new byte[0], KeyCreation.wrap(tx, key, secret));
                default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
            };
        } finally {
            secret.destroy();
        }
    }

    private static Record convertMigrationBlob(Transaction tx, ConvertMigrationBlob request) {
        LoadedKey parent = Keys.useParent(tx, request.parentHandle());
        StoreAsymkey moved = MigrationBlob.open(MigrationBlob.decrypt(tx, parent, request.inData()), request.random());
        try {
            require(moved.payload() == PayloadType.MIGRATE, ReturnCode.BAD_MIGRATION);
            return new OutData(KeyCreation.wrap(
                    tx,
                    parent.rsaPublic(),
                    new StoreAsymkey(
                            PayloadType.ASYM,
                            moved.usageAuth(),
                            moved.migrationAuth(),
                            moved.pubDataDigest(),
                            moved.privKey())));
        } finally {
            moved.destroy();
        }
    }

    /** What a migration authority does: it hands a blob on, which it can not look into for want of the pad. */
    private static Record migrateKey(Transaction tx, MigrateKey request) {
        LoadedKey authority = Keys.use(tx, request.maKeyHandle());
        Keys.requireUsage(authority, KeyUsage.MIGRATE);
        byte[] plain = MigrationBlob.decrypt(tx, authority, request.inData());
        try {
            return new OutData(encrypt(tx, request.pubKey(), plain));
        } finally {
            Secrets.zero(plain);
        }
    }

    private static byte[] encrypt(Transaction tx, Pubkey pubKey, byte[] plain) {
        RsaPublicKey key = pubKey.rsa();
        return switch (pubKey.algorithmParms().encScheme()) {
            case Algorithm.ES_RSAESOAEP_SHA1_MGF1 -> Oaep.encrypt(tx.environment(), key, plain);
            case Algorithm.ES_RSAESPKCSV15 -> {
                try {
                    yield tx.environment().rsa().encryptPkcs1(key, plain);
                } catch (RsaException e) {
                    throw new TpmException(ReturnCode.BAD_DATASIZE);
                }
            }
            default -> throw new TpmException(ReturnCode.INAPPROPRIATE_ENC);
        };
    }

    /** Refuses a destination that the owner did not authorise. */
    static void requireAuthorized(Transaction tx, MigrationKeyAuth destination) {
        require(
                Secrets.equal(
                        destination.digest(), digest(tx, destination.migrationKey(), destination.migrationScheme())),
                ReturnCode.AUTHFAIL);
    }

    /** Refuses a key that is weaker than RSA of 2048 bits with the default exponent. */
    static void requireStrong(Pubkey key) {
        KeyParms parms = key.algorithmParms();
        require(
                parms.algorithmId() == Algorithm.RSA
                        && parms.rsa().keyLength() >= MIN_BITS
                        && parms.rsa().publicExponent() == RsaPublicKey.F4
                        && key.rsa().length() >= MIN_BITS / Byte.SIZE,
                ReturnCode.BAD_KEY_PROPERTY);
    }

    private static byte[] digest(Transaction tx, Pubkey key, int scheme) {
        return Sha1.of(
                Codec.of(Pubkey.class).encode(key),
                new byte[] {(byte) (scheme >>> 8), (byte) scheme},
                Keys.tpmProof(tx));
    }
}
