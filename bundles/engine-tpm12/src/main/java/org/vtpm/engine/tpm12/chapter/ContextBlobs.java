package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.tpm12.structure.ContextBlob;
import org.vtpm.tpm12.structure.ContextSensitive;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Resources in the form in which the TPM gives them out and takes them back: encrypted with contextKey, authenticated with
 * tpmProof (TPM Main Part 3, section 21.2). Every blob has a counter of its own to encrypt with, in its additionalData.
 */
final class ContextBlobs {
    private static final byte[] NO_DIGEST = new byte[Sha1.LENGTH];

    private ContextBlobs() {}

    /** A resource that was taken back, with the nonce of the time when it was given out. */
    record Opened<T extends Record>(byte[] nonce, T resource) {}

    /** A blob that says all but what it holds. */
    static ContextBlob head(Transaction tx, int resourceType, int handle, byte[] label, int contextCount) {
        byte[] counter = tx.environment().random(AesCtr.COUNTER_LENGTH);
        return new ContextBlob(resourceType, handle, label, contextCount, NO_DIGEST, counter, new byte[0]);
    }

    /** Puts a resource into a blob. */
    static <T extends Record> ContextBlob seal(
            Transaction tx, ContextBlob head, byte[] nonce, Class<T> type, T resource) {
        Owner owner = owner(tx);
        byte[] internal = Codec.of(type).encode(resource);
        byte[] plain = Codec.of(ContextSensitive.class).encode(new ContextSensitive(nonce, internal));
        byte[] digest = digest(owner, head, plain);
        byte[] encrypted = AesCtr.apply(owner.contextKey(), head.additionalData(), plain);
        Secrets.zero(internal, plain);
        return head.with(digest, encrypted);
    }

    /**
     * Takes the resource out of a blob; nothing of it is looked at before it is known to be this TPM's.
     *
     * @throws TpmException with BADCONTEXT if it is not
     */
    static <T extends Record> Opened<T> open(Transaction tx, ContextBlob blob, Class<T> type) {
        Owner owner = owner(tx);
        require(blob.additionalData().length == AesCtr.COUNTER_LENGTH, ReturnCode.BADCONTEXT);
        byte[] plain = AesCtr.apply(owner.contextKey(), blob.additionalData(), blob.sensitiveData());
        try {
            require(Secrets.equal(digest(owner, blob, plain), blob.integrityDigest()), ReturnCode.BADCONTEXT);
            ContextSensitive sensitive = Codec.of(ContextSensitive.class).decode(plain);
            try {
                return new Opened<>(sensitive.contextNonce(), Codec.of(type).decode(sensitive.internalData()));
            } finally {
                Secrets.zero(sensitive.internalData());
            }
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BADCONTEXT);
        } finally {
            Secrets.zero(plain);
        }
    }

    private static byte[] digest(Owner owner, ContextBlob blob, byte[] plain) {
        byte[] encoded = Codec.of(ContextBlob.class).encode(blob.with(NO_DIGEST, plain));
        byte[] digest = Hmac.sha1(owner.tpmProof(), encoded);
        Secrets.zero(encoded);
        return digest;
    }

    private static Owner owner(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner;
    }
}
