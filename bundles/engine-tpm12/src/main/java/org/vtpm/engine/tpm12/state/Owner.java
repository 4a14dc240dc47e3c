package org.vtpm.engine.tpm12.state;

import java.util.List;
import java.util.function.Consumer;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;

/**
 * What TPM_TakeOwnership makes and clearing the owner destroys.
 *
 * @param tpmProof marks blobs as made by this TPM for this owner
 * @param contextKey AES-128 key that wraps saved contexts
 * @param delegateKey AES-128 key that wraps delegation blobs
 * @param srk the storage root key, whose public part is as TPM_TakeOwnership returned it
 * @param evictKeys keys that only the owner can evict (TPM_KEY_CONTROL_OWNER_EVICT): they stay loaded without power
 */
public record Owner(
        @Fixed(20) byte[] ownerAuth,
        @Fixed(20) byte[] tpmProof,
        @Fixed(16) byte[] contextKey,
        @Fixed(16) byte[] delegateKey,
        LoadedKey srk,
        @Counted(prefix = 2) List<LoadedKey> evictKeys) {

    public Owner withOwnerAuth(byte[] auth) {
        return new Owner(auth, tpmProof, contextKey, delegateKey, srk, evictKeys);
    }

    public Owner withSrkAuth(byte[] auth) {
        return new Owner(ownerAuth, tpmProof, contextKey, delegateKey, srk.withUsageAuth(auth), evictKeys);
    }

    public Owner withEvictKeys(List<LoadedKey> to) {
        return new Owner(ownerAuth, tpmProof, contextKey, delegateKey, srk, List.copyOf(to));
    }

    void secrets(Consumer<byte[]> visitor) {
        srk.secrets(visitor);
        evictKeys.forEach(key -> key.secrets(visitor));
        visitor.accept(ownerAuth);
        visitor.accept(tpmProof);
        visitor.accept(contextKey);
        visitor.accept(delegateKey);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "Owner[secret]";
    }
}
