package org.vtpm.engine.tpm12.state;

import java.util.function.Consumer;
import org.vtpm.codec.Fixed;
import org.vtpm.tpm12.structure.Pubkey;

/**
 * The endorsement key and the secrets that are made with it. They go when trust is revoked, not when the owner does.
 *
 * @param publicKey what TPM_ReadPubek gives out
 * @param ekReset authorises TPM_RevokeTrust
 * @param daaBlobKey AES-128 key that wraps DAA blobs
 */
public record Endorsement(
        Pubkey publicKey,
        RsaPrivateKey privateKey,
        @Fixed(20) byte[] ekReset,
        @Fixed(20) byte[] tpmDaaSeed,
        @Fixed(20) byte[] daaProof,
        @Fixed(16) byte[] daaBlobKey) {

    /** The same key with new DAA secrets. */
    public Endorsement withDaaSecrets(byte[] seed, byte[] proof, byte[] blobKey) {
        return new Endorsement(publicKey, privateKey, ekReset, seed, proof, blobKey);
    }

    void secrets(Consumer<byte[]> visitor) {
        privateKey.secrets(visitor);
        visitor.accept(ekReset);
        visitor.accept(tpmDaaSeed);
        visitor.accept(daaProof);
        visitor.accept(daaBlobKey);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "Endorsement[secret]";
    }
}
