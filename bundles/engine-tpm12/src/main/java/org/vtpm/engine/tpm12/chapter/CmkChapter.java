package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.CmkAuth;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.MigrateScheme;
import org.vtpm.tpm12.structure.MigrationKeyAuth;
import org.vtpm.tpm12.structure.MsaComposite;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/** Certifiable migration keys, whose migration their authorities approve (TPM Main Part 3, sections 11.5 to 11.10). */
public final class CmkChapter implements Chapter {
    record SetRestrictions(int restriction) {}

    record ApproveMa(@Fixed(20) byte[] migrationAuthorityDigest) {}

    record Ticket(@Fixed(20) byte[] hmac) {}

    record CreateKey(
            int parentHandle,
            @Fixed(20) byte[] dataUsageAuth,
            TpmKey keyInfo,
            @Fixed(20) byte[] migrationAuthorityApproval,
            @Fixed(20) byte[] migrationAuthorityDigest) {}

    record WrappedKey(TpmKey wrappedKey) {}

    record CreateTicket(
            Pubkey verificationKey,
            @Fixed(20) byte[] signedData,
            @Sized byte[] signatureValue) {}

    record CreateBlob(
            int parentHandle,
            @U16 int migrationType,
            MigrationKeyAuth migrationKeyAuth,
            @Fixed(20) byte[] pubSourceKeyDigest,
            @Sized byte[] msaList,
            @Sized byte[] restrictTicket,
            @Sized byte[] sigTicket,
            @Sized byte[] encData) {

        /** Decodes the list with the request: one that is none is refused before anything else is looked at. */
        CreateBlob {
            authorities(msaList);
        }
    }

    record Blob(@Sized byte[] random, @Sized byte[] outData) {}

    record ConvertMigration(
            int parentHandle,
            CmkAuth restrictTicket,
            @Fixed(20) byte[] sigTicket,
            TpmKey migratedKey,
            @Sized byte[] msaList,
            @Sized byte[] random) {}

    record OutData(@Sized byte[] outData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("CMK_SetRestrictions", SetRestrictions.class, CmkChapter::setRestrictions);
        handlers.on("CMK_ApproveMA", ApproveMa.class, CmkChapter::approveMa);
        handlers.on("CMK_CreateKey", CreateKey.class, CmkChapter::createKey);
        handlers.on("CMK_CreateTicket", CreateTicket.class, CmkChapter::createTicket);
        handlers.on("CMK_CreateBlob", CreateBlob.class, CmkChapter::createBlob);
        handlers.on("CMK_ConvertMigration", ConvertMigration.class, CmkChapter::convertMigration);
    }

    private static Record setRestrictions(Transaction tx, SetRestrictions request) {
        tx.authorizations().verifyOwner();
        if (request.restriction() != tx.permanent().restrictDelegate()) {
            tx.permanent(tx.permanent().withRestrictDelegate(request.restriction()));
        }
        return NoParameters.NONE;
    }

    private static Record approveMa(Transaction tx, ApproveMa request) {
        tx.authorizations().verifyOwner();
        return new Ticket(CmkTickets.approval(tx, request.migrationAuthorityDigest()));
    }

    private static Record createKey(Transaction tx, CreateKey request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        authorizations.requireSharedSecret(0);
        authorizations.verify(0, parent);
        TpmKey keyInfo = request.keyInfo();
        KeyProperties.check(tx, keyInfo);
        requireFixedParent(parent);
        requireCertifiable(keyInfo);
        byte[] msaDigest = request.migrationAuthorityDigest();
        require(
                Secrets.equal(CmkTickets.approval(tx, msaDigest), request.migrationAuthorityApproval()),
                ReturnCode.MA_AUTHORITY);
        require(
                keyInfo.keyUsage() != KeyUsage.IDENTITY && keyInfo.keyUsage() != KeyUsage.AUTHCHANGE,
                ReturnCode.INVALID_KEYUSAGE);
        require(keyInfo instanceof TpmKey.Key12, ReturnCode.INVALID_STRUCTURE);
        byte[] usageAuth = authorizations.decrypt(0, request.dataUsageAuth());
        try {
            return new WrappedKey(KeyCreation.wrapped(
                    tx,
                    parent,
                    keyInfo,
                    PayloadType.MIGRATE_RESTRICTED,
                    usageAuth,
                    made -> CmkTickets.migrationAuth(tx, msaDigest, CmkTickets.digest(made))));
        } finally {
            Secrets.zero(usageAuth);
        }
    }

    private static Record createTicket(Transaction tx, CreateTicket request) {
        tx.authorizations().verifyOwner();
        Pubkey key = request.verificationKey();
        KeyParms parms = key.algorithmParms();
        require(parms.algorithmId() == Algorithm.RSA, ReturnCode.BAD_KEY_PROPERTY);
        require(parms.encScheme() == Algorithm.ES_NONE, ReturnCode.INAPPROPRIATE_ENC);
        require(
                parms.sigScheme() == Algorithm.SS_RSASSAPKCS1V15_SHA1
                        || parms.sigScheme() == Algorithm.SS_RSASSAPKCS1V15_INFO,
                ReturnCode.INVALID_KEYUSAGE);
        require(
                tx.environment().rsa().verifySha1(key.rsa(), request.signedData(), request.signatureValue()),
                ReturnCode.BAD_SIGNATURE);
        return new Ticket(CmkTickets.signature(tx, CmkTickets.digest(key), request.signedData()));
    }

    /** The scheme that the owner authorised counts; the specification lets the TPM ignore migrationType. */
    private static Record createBlob(Transaction tx, CreateBlob request) {
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        tx.authorizations().verify(0, parent);
        requireFixedParent(parent);
        StoreAsymkey secret = KeyLoading.decrypt(tx, parent, request.encData());
        try {
            MigrationKeyAuth destination = request.migrationKeyAuth();
            MigrationChapter.requireAuthorized(tx, destination);
            require(
                    secret.payload() == PayloadType.MIGRATE_RESTRICTED
                            || secret.payload() == PayloadType.MIGRATE_EXTERNAL,
                    ReturnCode.INVALID_STRUCTURE);
            MsaComposite authorities = authorities(request.msaList());
            byte[] msaDigest = CmkTickets.digest(authorities);
            require(
                    Secrets.equal(
                            CmkTickets.migrationAuth(tx, msaDigest, request.pubSourceKeyDigest()),
                            secret.migrationAuth()),
                    ReturnCode.MA_AUTHORITY);
            switch (destination.migrationScheme()) {
                case MigrateScheme.RESTRICT_MIGRATE -> requireAuthority(request, authorities);
                case MigrateScheme.RESTRICT_APPROVE -> requireApproved(tx, request, authorities);
                default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
            }
            byte[] pad = tx.environment().random(MigrationBlob.padLength(secret));
            return new Blob(
                    pad,
                    MigrationBlob.make(
                            tx,
                            secret,
                            PayloadType.CMK_MIGRATE,
                            secret.usageAuth(),
                            Sha1.of(msaDigest, request.pubSourceKeyDigest()),
                            pad,
                            destination.migrationKey().rsa()));
        } finally {
            secret.destroy();
        }
    }

    /** The destination is itself one of the key's authorities, so nobody has to approve. */
    private static void requireAuthority(CreateBlob request, MsaComposite authorities) {
        Pubkey destination = request.migrationKeyAuth().migrationKey();
        byte[] digest = CmkTickets.digest(destination);
        require(
                authorities.migAuthDigest().stream().anyMatch(authority -> Secrets.equal(authority.digest(), digest)),
                ReturnCode.MA_TICKET_SIGNATURE);
        require(destination.algorithmParms().sigScheme() == Algorithm.SS_NONE, ReturnCode.INVALID_KEYUSAGE);
        require(request.restrictTicket().length == 0 && request.sigTicket().length == 0, ReturnCode.BAD_PARAMETER);
    }

    /** One of the key's authorities signed that this key may go to this destination. */
    private static void requireApproved(Transaction tx, CreateBlob request, MsaComposite authorities) {
        require(request.sigTicket().length == Sha1.LENGTH, ReturnCode.BAD_PARAM_SIZE);
        CmkTickets.requireSigned(tx, authorities, request.restrictTicket(), request.sigTicket());
        CmkAuth approval = decode(CmkAuth.class, request.restrictTicket());
        byte[] destination = CmkTickets.digest(request.migrationKeyAuth().migrationKey());
        require(Secrets.equal(approval.destinationKeyDigest(), destination), ReturnCode.MA_DESTINATION);
        require(Secrets.equal(approval.sourceKeyDigest(), request.pubSourceKeyDigest()), ReturnCode.MA_SOURCE);
    }

    private static Record convertMigration(Transaction tx, ConvertMigration request) {
        LoadedKey parent = Keys.usable(tx, request.parentHandle());
        tx.authorizations().verify(0, parent);
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        TpmKey key = request.migratedKey();
        StoreAsymkey moved = MigrationBlob.open(MigrationBlob.decrypt(tx, parent, key.encData()), request.random());
        byte[] migrationAuth = {};
        try {
            byte[] keyDigest = CmkTickets.digest(key.publicKey());
            MsaComposite authorities = authorities(request.msaList());
            byte[] msaDigest = CmkTickets.digest(authorities);
            require(Secrets.equal(moved.migrationAuth(), Sha1.of(msaDigest, keyDigest)), ReturnCode.AUTHFAIL);
            requireFixedParent(parent);
            require(moved.payload() == PayloadType.CMK_MIGRATE, ReturnCode.BAD_MIGRATION);
            CmkAuth approval = request.restrictTicket();
            CmkTickets.requireSigned(tx, authorities, Codec.of(CmkAuth.class).encode(approval), request.sigTicket());
            require(
                    Secrets.equal(
                            approval.destinationKeyDigest(),
                            CmkTickets.digest(parent.key().publicKey())),
                    ReturnCode.MA_DESTINATION);
            requirePair(key, moved);
            requireCertifiable(key);
            require(Secrets.equal(approval.sourceKeyDigest(), keyDigest), ReturnCode.MA_SOURCE);
            migrationAuth = CmkTickets.migrationAuth(tx, msaDigest, keyDigest);
            return new OutData(KeyCreation.wrap(
                    tx,
                    parent.rsaPublic(),
                    new StoreAsymkey(
                            PayloadType.MIGRATE_EXTERNAL,
                            moved.usageAuth(),
                            migrationAuth,
                            moved.pubDataDigest(),
                            moved.privKey())));
        } finally {
            moved.destroy();
            Secrets.zero(migrationAuth);
        }
    }

    /** Refuses a parent that could itself be migrated: its children would leave without their authorities. */
    private static void requireFixedParent(LoadedKey parent) {
        Keys.requireUsage(parent, KeyUsage.STORAGE);
        require(!parent.key().is(KeyFlag.MIGRATABLE), ReturnCode.INVALID_KEYUSAGE);
    }

    private static void requireCertifiable(TpmKey key) {
        require(key.is(KeyFlag.MIGRATABLE) && key.is(KeyFlag.MIGRATE_AUTHORITY), ReturnCode.INVALID_KEYUSAGE);
    }

    private static void requirePair(TpmKey key, StoreAsymkey secret) {
        try {
            RsaPrivateKey.ofPrime(key.publicKey().rsa(), secret.privKey()).destroy();
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.BAD_KEY_PROPERTY);
        }
    }

    private static MsaComposite authorities(byte[] msaList) {
        return decode(MsaComposite.class, msaList);
    }

    private static <T> T decode(Class<T> type, byte[] bytes) {
        try {
            return Codec.of(type).decode(bytes);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }
}
