package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SymmetricKey;
import org.vtpm.tpm12.structure.TpmKey;

/**
 * Attestation identities (TPM Main Part 3, section 15). Of two authorisation blocks the second is the owner's; one alone
 * is the owner's too. As in libtpms the owner's fails with AUTH2FAIL when an identity is made even if it stands alone,
 * and in activation it is the identity key's that fails with AUTH2FAIL.
 */
public final class IdentityChapter implements Chapter {
    record MakeIdentity(
            @Fixed(20) byte[] identityAuth, @Fixed(20) byte[] labelPrivCaDigest, TpmKey idKeyParams) {}

    record Identity(TpmKey idKey, @Sized byte[] identityBinding) {}

    /** TPM_IDENTITY_CONTENTS (TPM Main Part 2, section 12.5). */
    record IdentityContents(
            Identification.StructVer ver,
            int ordinal,
            @Fixed(20) byte[] labelPrivCaDigest,
            Pubkey identityPubKey) {}

    record ActivateIdentity(int idKeyHandle, @Sized byte[] blob) {}

    record SessionKey(SymmetricKey symmetricKey) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("MakeIdentity", MakeIdentity.class, IdentityChapter::makeIdentity);
        handlers.on("ActivateIdentity", ActivateIdentity.class, IdentityChapter::activateIdentity);
    }

    private static Record makeIdentity(Transaction tx, MakeIdentity request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey srk = Keys.usable(tx, Handles.SRK);
        int ownerBlock = authorizations.count() - 1;
        authorizations.requireSharedSecret(ownerBlock);
        verifyKey(tx, srk, ReturnCode.AUTHFAIL);
        verifyOwner(tx, ReturnCode.AUTH2FAIL);
        TpmKey params = request.idKeyParams();
        KeyProperties.check(tx, params);
        require(KeyProperties.standard(params.algorithmParms().rsa()), ReturnCode.BAD_KEY_PROPERTY);
        require(params.keyUsage() == KeyUsage.IDENTITY && !params.is(KeyFlag.MIGRATABLE), ReturnCode.INVALID_KEYUSAGE);
        byte[] usageAuth = authorizations.decrypt(ownerBlock, request.identityAuth());
        authorizations.close(0);
        RsaPrivateKey made = KeyCreation.generate(tx, params);
        try {
            TpmKey key = KeyCreation.wrapped(
                    tx, srk, params, made, PayloadType.ASYM, usageAuth, unused -> Keys.tpmProof(tx));
            IdentityContents contents = new IdentityContents(
                    Identification.structVer(), tx.command().ordinal(), request.labelPrivCaDigest(), key.publicKey());
            byte[] digest = Sha1.of(Codec.of(IdentityContents.class).encode(contents));
            return new Identity(key, Signature.ofDigest(tx, made, digest));
        } finally {
            made.destroy();
            Secrets.zero(usageAuth);
        }
    }

    private static Record activateIdentity(Transaction tx, ActivateIdentity request) {
        verifyOwner(tx, ReturnCode.AUTHFAIL);
        LoadedKey key = Keys.usable(tx, request.idKeyHandle());
        verifyKey(tx, key, ReturnCode.AUTH2FAIL);
        require(key.key().keyUsage() == KeyUsage.IDENTITY, ReturnCode.BAD_PARAMETER);
        ActivationBlob blob = ActivationBlob.decrypt(tx, request.blob());
        byte[] identity = Sha1.of(Codec.of(Pubkey.class).encode(key.key().publicKey()));
        require(Arrays.equals(blob.idDigest(), identity), ReturnCode.BAD_PARAMETER);
        blob.requireRelease(tx);
        return new SessionKey(blob.sessionKey());
    }

    /** The key's block is the first of two; without it the key must need none. */
    private static void verifyKey(Transaction tx, LoadedKey key, ReturnCode failure) {
        if (tx.authorizations().count() == 1) {
            Keys.requireNoAuthorization(key);
        } else {
            tx.authorizations().verify(0, key, failure);
        }
    }

    private static void verifyOwner(Transaction tx, ReturnCode failure) {
        tx.authorizations().verifyOwner(tx.authorizations().count() - 1, failure);
    }
}
