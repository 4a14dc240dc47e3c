package org.vtpm.engine.tpm12.state;

import java.util.stream.Stream;
import org.vtpm.codec.Fixed;
import org.vtpm.engine.tpm12.structure.TpmKey;

/**
 * What TPM_TakeOwnership makes and clearing the owner destroys.
 *
 * @param tpmProof marks blobs as made by this TPM for this owner
 * @param contextKey AES-128 key that wraps saved contexts
 * @param delegateKey AES-128 key that wraps delegation blobs
 * @param srk public part of the storage root key, as TPM_TakeOwnership returned it
 * @param srkAuth usage secret of the storage root key
 */
public record Owner(
        @Fixed(20) byte[] ownerAuth,
        @Fixed(20) byte[] tpmProof,
        @Fixed(16) byte[] contextKey,
        @Fixed(16) byte[] delegateKey,
        TpmKey srk,
        @Fixed(20) byte[] srkAuth,
        RsaPrivateKey srkPrivate) {

    public Owner withOwnerAuth(byte[] auth) {
        return new Owner(auth, tpmProof, contextKey, delegateKey, srk, srkAuth, srkPrivate);
    }

    public Owner withSrkAuth(byte[] auth) {
        return new Owner(ownerAuth, tpmProof, contextKey, delegateKey, srk, auth, srkPrivate);
    }

    Stream<byte[]> secrets() {
        return Stream.concat(srkPrivate.secrets(), Stream.of(ownerAuth, tpmProof, contextKey, delegateKey, srkAuth));
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "Owner[secret]";
    }
}
