package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.function.BiFunction;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.tpm12.structure.DelegateBlob;
import org.vtpm.tpm12.structure.DelegateSensitive;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * What keeps delegations safe outside the TPM: the secret is encrypted with the owner's delegateKey in AES-128 CTR, whose
 * first counter stands in additionalArea, and an HMAC with tpmProof covers the whole as it is sent.
 */
final class DelegationBlobs {
    private static final byte[] NO_DIGEST = new byte[Sha1.LENGTH];

    private DelegationBlobs() {}

    /** Takes bytes for a blob of either kind, which their tag tells: a tag of neither is a parameter's fault. */
    static DelegateBlob parse(byte[] bytes) {
        try {
            return Codec.of(DelegateBlob.class).decode(bytes);
        } catch (CodecException e) {
            throw new TpmException(ofNeitherKind(bytes) ? ReturnCode.BAD_PARAMETER : malformed(e));
        }
    }

    private static boolean ofNeitherKind(byte[] bytes) {
        if (bytes.length < Short.BYTES) {
            return false;
        }
        int tag = ((bytes[0] & 0xFF) << Byte.SIZE) | (bytes[1] & 0xFF);
        return tag != DelegateBlob.OWNER_TAG && tag != DelegateBlob.KEY_TAG;
    }

    private static ReturnCode malformed(CodecException e) {
        return switch (e.kind()) {
            case BAD_TAG -> ReturnCode.INVALID_STRUCTURE;
            // The only bounded length is that of the PCR selection.
            case TOO_LONG -> ReturnCode.INVALID_PCR_INFO;
            default -> ReturnCode.BAD_PARAM_SIZE;
        };
    }

    /**
     * Makes a blob.
     *
     * @param blob makes it of its additional and its sensitive area
     */
    static <B extends DelegateBlob> DelegateBlob seal(
            Transaction tx, byte[] authValue, BiFunction<byte[], byte[], B> blob) {
        Owner owner = owner(tx);
        byte[] counter = tx.environment().random(AesCtr.COUNTER_LENGTH);
        byte[] plain = Codec.of(DelegateSensitive.class).encode(new DelegateSensitive(authValue));
        byte[] encrypted = AesCtr.apply(owner.delegateKey(), counter, plain);
        Secrets.zero(plain);
        return signed(tx, blob.apply(counter, encrypted));
    }

    /** Puts the right digest into a blob. */
    static DelegateBlob signed(Transaction tx, DelegateBlob blob) {
        return blob.withDigest(digest(tx, blob));
    }

    /** Refuses a blob that another TPM or for another owner made, or that was changed since. */
    static void requireIntegrity(Transaction tx, DelegateBlob blob) {
        require(Secrets.equal(digest(tx, blob), blob.integrityDigest()), ReturnCode.AUTHFAIL);
    }

    /** The secret in a blob, which the caller zeroes. */
    static byte[] authValue(Transaction tx, DelegateBlob blob) {
        require(blob.additionalArea().length == AesCtr.COUNTER_LENGTH, ReturnCode.BAD_DELEGATE);
        byte[] plain = AesCtr.apply(owner(tx).delegateKey(), blob.additionalArea(), blob.sensitiveArea());
        try {
            return plainAuthValue(plain);
        } finally {
            Secrets.zero(plain);
        }
    }

    /** The secret in a sensitive area that is not encrypted (TPM Main Part 3, section 19.6, action 9). */
    static byte[] plainAuthValue(byte[] sensitiveArea) {
        try {
            return Codec.of(DelegateSensitive.class).decode(sensitiveArea).authValue();
        } catch (CodecException e) {
            throw new TpmException(malformed(e));
        }
    }

    private static byte[] digest(Transaction tx, DelegateBlob blob) {
        return Hmac.sha1(Keys.tpmProof(tx), Codec.of(DelegateBlob.class).encode(blob.withDigest(NO_DIGEST)));
    }

    private static Owner owner(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner;
    }
}
