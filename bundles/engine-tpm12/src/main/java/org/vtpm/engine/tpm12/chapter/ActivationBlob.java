package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SymmetricKey;
import org.vtpm.tpm12.structure.TpmException;

/**
 * What a certification authority encrypts for the endorsement key, so that only the TPM that holds an identity can open
 * its credential.
 *
 * @param idDigest SHA-1 over the identity's TPM_PUBKEY
 * @param release where it may be opened; null if anywhere
 */
record ActivationBlob(
        SymmetricKey sessionKey, byte[] idDigest, @Nullable PcrInfoShort release) {
    private static final int EK_BLOB_TAG = 0x000C;
    private static final int ACTIVATE = 1;

    /** TPM_EK_BLOB (TPM Main Part 2, section 12.1). */
    @Tag(EK_BLOB_TAG)
    record EkBlob(@U16 int ekType, @Sized byte[] blob) {}

    /** TPM_EK_BLOB_ACTIVATE (TPM Main Part 2, section 12.2). */
    @Tag(0x002B)
    record EkBlobActivate(
            SymmetricKey sessionKey, @Fixed(20) byte[] idDigest, PcrInfoShort pcrInfo) {}

    /** TPM_ASYM_CA_CONTENTS (TPM Main Part 2, section 12.6), the form of version 1.1. */
    record AsymCaContents(
            SymmetricKey sessionKey, @Fixed(20) byte[] idDigest) {}

    /**
     * Opens a blob with the endorsement key.
     *
     * @throws TpmException with DECRYPT_ERROR, BAD_TYPE or the code of a malformed structure if it is no such blob
     */
    static ActivationBlob decrypt(Transaction tx, byte[] encrypted) {
        Endorsement endorsement = tx.permanent().endorsement();
        if (endorsement == null) {
            throw new TpmException(ReturnCode.NO_ENDORSEMENT);
        }
        byte[] plain =
                Oaep.decrypt(tx.environment(), endorsement.privateKey().withPublic(endorsement.publicKey()), encrypted);
        try {
            return new ByteReader(plain).u16() == EK_BLOB_TAG ? version12(plain) : version11(plain);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.INVALID_STRUCTURE);
        } finally {
            Secrets.zero(plain);
        }
    }

    /** Refuses an opening under other PCR values or from another locality than the authority asked for. */
    void requireRelease(Transaction tx) {
        if (release != null) {
            PcrConditions.requirePcrs(tx, release);
            PcrConditions.requireLocality(tx, release);
        }
    }

    private static ActivationBlob version12(byte[] plain) throws CodecException {
        EkBlob outer = Codec.of(EkBlob.class).decode(plain);
        try {
            require(outer.ekType() == ACTIVATE, ReturnCode.BAD_TYPE);
            EkBlobActivate inner = Codec.of(EkBlobActivate.class).decode(outer.blob());
            return new ActivationBlob(inner.sessionKey(), inner.idDigest(), inner.pcrInfo());
        } finally {
            Secrets.zero(outer.blob());
        }
    }

    private static ActivationBlob version11(byte[] plain) throws CodecException {
        AsymCaContents contents = Codec.of(AsymCaContents.class).decode(plain);
        return new ActivationBlob(contents.sessionKey(), contents.idDigest(), null);
    }
}
