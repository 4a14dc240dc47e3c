package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Endorsement key handling (TPM Main Part 3, section 14), and the older ways to read its public part. */
public final class EndorsementChapter implements Chapter {
    private static final int PRIMES = 2;

    record CreateEndorsementKeyPair(@Fixed(20) byte[] antiReplay, KeyParms keyInfo) {}

    record CreateRevocableEk(
            @Fixed(20) byte[] antiReplay,
            KeyParms keyInfo,
            boolean generateReset,
            @Fixed(20) byte[] inputEkReset) {}

    /**
     * The public endorsement key.
     *
     * @param checksum SHA-1 over the key and the request's antiReplay
     */
    record Pubek(Pubkey pubEndorsementKey, @Fixed(20) byte[] checksum) {
        static Pubek of(Endorsement endorsement, byte[] antiReplay) {
            Pubkey key = endorsement.publicKey();
            return new Pubek(key, Sha1.of(Codec.of(Pubkey.class).encode(key), antiReplay));
        }
    }

    record RevocablePubek(
            Pubkey pubEndorsementKey,
            @Fixed(20) byte[] checksum,
            @Fixed(20) byte[] outputEkReset) {}

    record RevokeTrust(@Fixed(20) byte[] ekReset) {}

    record ReadPubek(@Fixed(20) byte[] antiReplay) {}

    record OwnerReadInternalPub(int keyHandle) {}

    record PublicPortion(Pubkey key) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on(
                "CreateEndorsementKeyPair",
                CreateEndorsementKeyPair.class,
                EndorsementChapter::createEndorsementKeyPair);
        handlers.on("CreateRevocableEK", CreateRevocableEk.class, EndorsementChapter::createRevocableEk);
        handlers.on("RevokeTrust", RevokeTrust.class, EndorsementChapter::revokeTrust);
        handlers.on("ReadPubek", ReadPubek.class, EndorsementChapter::readPubek);
        handlers.on("OwnerReadInternalPub", OwnerReadInternalPub.class, EndorsementChapter::ownerReadInternalPub);
        handlers.on("OwnerReadPubek", NoParameters.class, EndorsementChapter::ownerReadPubek);
        handlers.on("DisablePubekRead", NoParameters.class, EndorsementChapter::disablePubekRead);
    }

    private static Record createEndorsementKeyPair(Transaction tx, CreateEndorsementKeyPair request) {
        Endorsement endorsement = create(tx, request.keyInfo(), new byte[Sha1.LENGTH], false);
        return Pubek.of(endorsement, request.antiReplay());
    }

    private static Record createRevocableEk(Transaction tx, CreateRevocableEk request) {
        byte[] ekReset = request.generateReset() ? tx.environment().random(Sha1.LENGTH) : request.inputEkReset();
        Endorsement endorsement = create(tx, request.keyInfo(), ekReset, true);
        Pubek pubek = Pubek.of(endorsement, request.antiReplay());
        return new RevocablePubek(pubek.pubEndorsementKey(), pubek.checksum(), ekReset);
    }

    private static Endorsement create(Transaction tx, KeyParms keyInfo, byte[] ekReset, boolean revocable) {
        require(tx.permanent().endorsement() == null, ReturnCode.DISABLED_CMD);
        require(
                keyInfo.algorithmId() == Algorithm.RSA
                        && keyInfo.rsa().keyLength() == EndorsementKey.BITS
                        && keyInfo.rsa().numPrimes() == PRIMES
                        && keyInfo.encScheme() == Algorithm.ES_RSAESOAEP_SHA1_MGF1,
                ReturnCode.BAD_KEY_PROPERTY);
        Endorsement endorsement = EndorsementKey.make(tx.environment(), ekReset);
        tx.permanent(tx.permanent()
                .withEndorsement(endorsement)
                .withFlags(tx.permanent().flags().with(Flag.CEKP_USED, true).with(Flag.ENABLE_REVOKE_EK, revocable)));
        return endorsement;
    }

    /** Takes away the key with all that depends on it, also NV areas that an owner clear leaves. */
    private static Record revokeTrust(Transaction tx, RevokeTrust request) {
        require(tx.is(Flag.ENABLE_REVOKE_EK), ReturnCode.PERMANENTEK);
        Endorsement endorsement = tx.permanent().endorsement();
        require(endorsement != null && Secrets.equal(endorsement.ekReset(), request.ekReset()), ReturnCode.AUTHFAIL);
        require(tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
        OwnerClear.run(tx, true);
        tx.permanent(tx.permanent()
                .withEndorsement(null)
                .withFlags(tx.permanent().flags().with(Flag.NV_LOCKED, false).with(Flag.CEKP_USED, false)));
        return NoParameters.NONE;
    }

    private static Record readPubek(Transaction tx, ReadPubek request) {
        require(tx.is(Flag.READ_PUBEK), ReturnCode.DISABLED_CMD);
        return Pubek.of(endorsement(tx), request.antiReplay());
    }

    private static Record ownerReadInternalPub(Transaction tx, OwnerReadInternalPub request) {
        tx.authorizations().verifyOwner();
        return new PublicPortion(
                switch (request.keyHandle()) {
                    case Handles.EK -> endorsement(tx).publicKey();
                    case Handles.SRK -> StorageRootKey.publicKey(tx);
                    default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
                });
    }

    private static Record ownerReadPubek(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        return new PublicPortion(endorsement(tx).publicKey());
    }

    private static Record disablePubekRead(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        tx.set(Flag.READ_PUBEK, false);
        return NoParameters.NONE;
    }

    private static Endorsement endorsement(Transaction tx) {
        Endorsement endorsement = tx.permanent().endorsement();
        if (endorsement == null) {
            throw new TpmException(ReturnCode.NO_ENDORSEMENT);
        }
        return endorsement;
    }
}
