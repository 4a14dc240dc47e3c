package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.List;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Environment;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.RsaPrivateKey;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/** Admin ownership (TPM Main Part 3, section 6). */
public final class OwnershipChapter implements Chapter {
    /** TPM_PID_OWNER. */
    private static final int PID_OWNER = 5;

    record TakeOwnership(
            @U16 int protocolId,
            @Sized byte[] encOwnerAuth,
            @Sized byte[] encSrkAuth,
            TpmKey srkParams) {}

    record SrkPub(TpmKey srkPub) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("TakeOwnership", TakeOwnership.class, OwnershipChapter::takeOwnership);
        handlers.on("OwnerClear", NoParameters.class, OwnershipChapter::ownerClear);
        handlers.on("ForceClear", NoParameters.class, OwnershipChapter::forceClear);
        handlers.on("DisableOwnerClear", NoParameters.class, OwnershipChapter::disableOwnerClear);
        handlers.on("DisableForceClear", NoParameters.class, OwnershipChapter::disableForceClear);
    }

    /** The command is authorised with the very secret that it brings. */
    private static Record takeOwnership(Transaction tx, TakeOwnership request) {
        Authorizations authorizations = tx.authorizations();
        Environment environment = tx.environment();
        require(tx.permanent().owner() == null, ReturnCode.OWNER_SET);
        require(tx.is(PermanentFlags.Flag.OWNERSHIP), ReturnCode.INSTALL_DISABLED);
        Endorsement endorsement = tx.permanent().endorsement();
        if (endorsement == null) {
            throw new TpmException(ReturnCode.NO_ENDORSEMENT);
        }
        authorizations.requireProtocol(0, Session.OIAP);
        require(request.protocolId() == PID_OWNER, ReturnCode.BAD_PARAMETER);
        byte[] ownerAuth = EndorsementKey.decryptSecret(environment, endorsement, request.encOwnerAuth());
        byte[] srkAuth = {};
        try {
            authorizations.verify(0, Entity.OWNER, ownerAuth);
            StorageRootKey.check(tx, request.srkParams());
            srkAuth = EndorsementKey.decryptSecret(environment, endorsement, request.encSrkAuth());
            var key = environment.newRsaKey(StorageRootKey.BITS, RsaPublicKey.F4);
            TpmKey srk = KeyCreation.complete(
                    tx, request.srkParams(), key.publicKey().modulus());
            byte[] tpmProof = environment.random(Sha1.LENGTH);
            tx.permanent(tx.permanent()
                    .withOwner(new Owner(
                            ownerAuth,
                            tpmProof,
                            environment.random(AesCtr.KEY_LENGTH),
                            environment.random(AesCtr.KEY_LENGTH),
                            LoadedKey.srk(srk, RsaPrivateKey.of(key.crt()), srkAuth, tpmProof),
                            List.of()))
                    .withFlag(PermanentFlags.Flag.READ_PUBEK, false));
            return new SrkPub(srk);
        } catch (RuntimeException e) {
            Secrets.zero(ownerAuth, srkAuth);
            throw e;
        }
    }

    private static Record ownerClear(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        require(!tx.is(PermanentFlags.Flag.DISABLE_OWNER_CLEAR), ReturnCode.CLEAR_DISABLED);
        OwnerClear.run(tx, false);
        return NoParameters.NONE;
    }

    private static Record forceClear(Transaction tx, NoParameters request) {
        require(!tx.is(StClearFlags.Flag.DISABLE_FORCE_CLEAR), ReturnCode.CLEAR_DISABLED);
        OwnerClear.run(tx, false);
        return NoParameters.NONE;
    }

    private static Record disableOwnerClear(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        tx.set(PermanentFlags.Flag.DISABLE_OWNER_CLEAR, true);
        return NoParameters.NONE;
    }

    private static Record disableForceClear(Transaction tx, NoParameters request) {
        tx.set(StClearFlags.Flag.DISABLE_FORCE_CLEAR, true);
        return NoParameters.NONE;
    }
}
