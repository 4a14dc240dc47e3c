package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.tpm12.structure.DaaBlob;
import org.vtpm.tpm12.structure.DaaSensitive;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Parts of DAA credentials outside the TPM: encrypted with daaBlobKey, authenticated with daaProof. */
final class DaaBlobs {
    private static final int LABEL_LENGTH = 16;

    private DaaBlobs() {}

    /** Wraps a secret, which stays the caller's. */
    static byte[] wrap(Transaction tx, int resourceType, byte[] secret) {
        Endorsement endorsement = endorsement(tx);
        byte[] plain = Codec.of(DaaSensitive.class).encode(new DaaSensitive(secret));
        byte[] counter = tx.environment().random(AesCtr.COUNTER_LENGTH);
        DaaBlob blob = new DaaBlob(
                resourceType,
                new byte[LABEL_LENGTH],
                new byte[Sha1.LENGTH],
                counter,
                AesCtr.apply(endorsement.daaBlobKey(), counter, plain));
        Secrets.zero(plain);
        return Codec.of(DaaBlob.class).encode(blob.withIntegrity(integrity(endorsement, blob)));
    }

    /**
     * Unwraps what {@link #wrap} made.
     *
     * @return the secret; the caller zeroes it
     * @throws TpmException with DAA_INPUT_DATA0 if it is anything else
     */
    static byte[] unwrap(Transaction tx, int resourceType, byte[] wrapped) {
        Endorsement endorsement = endorsement(tx);
        byte[] plain = {};
        try {
            DaaBlob blob = Codec.of(DaaBlob.class).decode(wrapped);
            require(
                    Secrets.equal(blob.blobIntegrity(), integrity(endorsement, blob))
                            && blob.resourceType() == resourceType
                            && blob.additionalData().length == AesCtr.COUNTER_LENGTH,
                    ReturnCode.DAA_INPUT_DATA0);
            plain = AesCtr.apply(endorsement.daaBlobKey(), blob.additionalData(), blob.sensitiveData());
            return Codec.of(DaaSensitive.class).decode(plain).internalData();
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.DAA_INPUT_DATA0);
        } finally {
            Secrets.zero(plain);
        }
    }

    private static byte[] integrity(Endorsement endorsement, DaaBlob blob) {
        byte[] encoded = Codec.of(DaaBlob.class).encode(blob.withIntegrity(new byte[Sha1.LENGTH]));
        return Hmac.sha1(endorsement.daaProof(), encoded);
    }

    private static Endorsement endorsement(Transaction tx) {
        Endorsement endorsement = tx.permanent().endorsement();
        if (endorsement == null) {
            throw new TpmException(ReturnCode.NO_ENDORSEMENT);
        }
        return endorsement;
    }
}
