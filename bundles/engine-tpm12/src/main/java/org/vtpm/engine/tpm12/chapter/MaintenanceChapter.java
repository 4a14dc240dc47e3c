package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.List;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/**
 * Maintenance (TPM Main Part 3, section 12): the storage root key, and with it all that it protects, moves from a TPM to
 * its replacement. It passes through the manufacturer, who decrypts the archive, encrypts it for the storage root key of
 * the replacement and signs that; owner and manufacturer must agree.
 */
public final class MaintenanceChapter implements Chapter {
    record CreateMaintenanceArchive(boolean generateRandom) {}

    /**
     * An archive.
     *
     * @param random the pad that covers it, or nothing if the pad follows from the owner's secret
     * @param archive TPM_KEY of the storage root key, whose encData is a migration blob for the manufacturer
     */
    record Archive(@Sized byte[] random, @Sized byte[] archive) {}

    /** The specification leaves the parameters to the vendor; these are those that TSS clients send. */
    record LoadMaintenanceArchive(@Sized byte[] dataIn) {}

    record DataOut(@Sized byte[] dataOut) {}

    /**
     * What this vendor takes in as dataIn.
     *
     * @param signature of the manufacturer's key, PKCS#1 v1.5 with SHA-1, over the encoded content
     */
    record Packet(Content content, @Sized byte[] signature) {}

    /**
     * An archive for this TPM.
     *
     * @param archive with encData encrypted for the present storage root key
     * @param random as TPM_CreateMaintenanceArchive gave it
     */
    record Content(TpmKey archive, @Sized byte[] random) {}

    record LoadManuMaintPub(@Fixed(20) byte[] antiReplay, Pubkey pubKey) {}

    record ReadManuMaintPub(@Fixed(20) byte[] antiReplay) {}

    record Checksum(@Fixed(20) byte[] checksum) {
        static Checksum of(Pubkey key, byte[] antiReplay) {
            return new Checksum(Sha1.of(Codec.of(Pubkey.class).encode(key), antiReplay));
        }
    }

    @Override
    public void register(Handlers handlers) {
        handlers.on(
                "CreateMaintenanceArchive",
                CreateMaintenanceArchive.class,
                MaintenanceChapter::createMaintenanceArchive);
        handlers.on("LoadMaintenanceArchive", LoadMaintenanceArchive.class, MaintenanceChapter::loadMaintenanceArchive);
        handlers.on("KillMaintenanceFeature", NoParameters.class, MaintenanceChapter::killMaintenanceFeature);
        handlers.on("LoadManuMaintPub", LoadManuMaintPub.class, MaintenanceChapter::loadManuMaintPub);
        handlers.on("ReadManuMaintPub", ReadManuMaintPub.class, MaintenanceChapter::readManuMaintPub);
    }

    private static Record createMaintenanceArchive(Transaction tx, CreateMaintenanceArchive request) {
        require(tx.is(Flag.ALLOW_MAINTENANCE), ReturnCode.DISABLED_CMD);
        tx.authorizations().verifyOwner();
        Pubkey manufacturer = manufacturer(tx);
        Owner owner = owner(tx);
        LoadedKey srk = owner.srk();
        StoreAsymkey secret = new StoreAsymkey(
                PayloadType.MAINT,
                owner.tpmProof(),
                owner.ownerAuth(),
                srk.key().pubDataDigest(),
                srk.privateKey().p());
        int length = MigrationBlob.padLength(secret);
        byte[] pad = request.generateRandom() ? tx.environment().random(length) : Mgf1.sha1(owner.ownerAuth(), length);
        byte[] encData = MigrationBlob.make(
                tx, secret, PayloadType.MAINT, owner.tpmProof(), owner.ownerAuth(), pad, manufacturer.rsa());
        tx.set(Flag.MAINTENANCE_DONE, true);
        byte[] archive = Codec.of(TpmKey.class).encode(srk.key().withEncData(encData));
        if (request.generateRandom()) {
            return new Archive(pad, archive);
        }
        Secrets.zero(pad);
        return new Archive(new byte[0], archive);
    }

    /**
     * Replaces owner and storage root key by those of the archive. As the actions of TPM_OwnerClear demand, the TPM is
     * disabled afterwards until someone who is present enables it.
     */
    private static Record loadMaintenanceArchive(Transaction tx, LoadMaintenanceArchive request) {
        tx.authorizations().verifyOwner();
        Content content = verified(tx, request.dataIn());
        TpmKey key = content.archive();
        StorageRootKey.check(tx, key);
        Owner owner = owner(tx);
        byte[] blob = MigrationBlob.decrypt(tx, owner.srk(), key.encData());
        byte[] pad = content.random().length > 0 ? content.random() : Mgf1.sha1(owner.ownerAuth(), blob.length);
        StoreAsymkey secret = MigrationBlob.open(blob, pad);
        try {
            require(secret.payload() == PayloadType.MAINT, ReturnCode.BAD_MIGRATION);
            require(Secrets.equal(secret.pubDataDigest(), key.pubDataDigest()), ReturnCode.BAD_PARAMETER);
            byte[] tpmProof = secret.usageAuth().clone();
            byte[] ownerAuth = secret.migrationAuth().clone();
            LoadedKey srk = LoadedKey.srk(
                    key.withEncData(new byte[0]), KeyLoading.privateKey(key, secret), ownerAuth.clone(), tpmProof);
            OwnerClear.run(tx, false);
            tx.permanent(tx.permanent()
                    .withOwner(new Owner(
                            ownerAuth,
                            tpmProof,
                            tx.environment().random(AesCtr.KEY_LENGTH),
                            tx.environment().random(AesCtr.KEY_LENGTH),
                            srk,
                            List.of()))
                    .withFlag(Flag.MAINTENANCE_DONE, true));
            return new DataOut(new byte[0]);
        } finally {
            secret.destroy();
            Secrets.zero(pad);
        }
    }

    /** Until the owner is cleared; nobody can take it back before. */
    private static Record killMaintenanceFeature(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        tx.set(Flag.ALLOW_MAINTENANCE, false);
        return NoParameters.NONE;
    }

    /** The first key stays for ever: also an owner clear and the revocation of trust leave it. */
    private static Record loadManuMaintPub(Transaction tx, LoadManuMaintPub request) {
        require(tx.permanent().manuMaintPub() == null, ReturnCode.DISABLED_CMD);
        Pubkey key = request.pubKey();
        MigrationChapter.requireStrong(key);
        require(key.algorithmParms().encScheme() == Algorithm.ES_RSAESOAEP_SHA1_MGF1, ReturnCode.INAPPROPRIATE_ENC);
        tx.permanent(tx.permanent().withManuMaintPub(key));
        return Checksum.of(key, request.antiReplay());
    }

    private static Record readManuMaintPub(Transaction tx, ReadManuMaintPub request) {
        return Checksum.of(manufacturer(tx), request.antiReplay());
    }

    /**
     * The content of a packet that the manufacturer signed. Without that an owner could bring in a storage root key of
     * known content, and pass for keys of this TPM what never was in one (section 12.2, action 2).
     */
    private static Content verified(Transaction tx, byte[] dataIn) {
        Packet packet;
        try {
            packet = Codec.of(Packet.class).decode(dataIn);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
        byte[] digest = Sha1.of(Codec.of(Content.class).encode(packet.content()));
        boolean signed = tx.environment().rsa().verifySha1(manufacturer(tx).rsa(), digest, packet.signature());
        require(signed, ReturnCode.BAD_SIGNATURE);
        return packet.content();
    }

    private static Pubkey manufacturer(Transaction tx) {
        Pubkey key = tx.permanent().manuMaintPub();
        if (key == null) {
            throw new TpmException(ReturnCode.KEYNOTFOUND);
        }
        return key;
    }

    private static Owner owner(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner;
    }
}
