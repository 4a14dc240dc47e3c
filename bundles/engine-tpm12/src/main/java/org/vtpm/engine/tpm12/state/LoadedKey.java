package org.vtpm.engine.tpm12.state;

import java.util.function.Consumer;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.U8;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.TpmKey;

/**
 * A key that can be used by its handle: one that TPM_LoadKey2 put there, or the storage root key.
 *
 * @param key its public part; the encrypted part is empty
 * @param migrationAuth tpmProof if the key can not be migrated
 * @param payload see {@link PayloadType}
 * @param parentPcrStatus whether the parent, or any key above it, can be used under certain PCRs only
 */
public record LoadedKey(
        int handle,
        TpmKey key,
        RsaPrivateKey privateKey,
        @Fixed(20) byte[] usageAuth,
        @Fixed(20) byte[] migrationAuth,
        @U8 int payload,
        boolean parentPcrStatus) {

    /** A storage root key; nobody migrates it. */
    public static LoadedKey srk(TpmKey key, RsaPrivateKey privateKey, byte[] usageAuth, byte[] tpmProof) {
        return new LoadedKey(Handles.SRK, key, privateKey, usageAuth, tpmProof, PayloadType.ASYM, false);
    }

    public LoadedKey withUsageAuth(byte[] auth) {
        return new LoadedKey(handle, key, privateKey, auth, migrationAuth, payload, parentPcrStatus);
    }

    public LoadedKey withHandle(int to) {
        return new LoadedKey(to, key, privateKey, usageAuth, migrationAuth, payload, parentPcrStatus);
    }

    /** What a session for this key is bound to: the key itself, not its handle. */
    public Entity entity() {
        return handle == Handles.SRK ? Entity.SRK : new Entity(EntityType.KEY_HANDLE, key.pubDataDigest());
    }

    /** Whether this key can be used under certain PCRs only. */
    public boolean boundToPcrs() {
        PcrInfoShort release = key.release();
        return release != null && !release.pcrSelection().isEmpty();
    }

    /** The public half that computes. */
    public RsaPublicKey rsaPublic() {
        return key.publicKey().rsa();
    }

    /** The form that computes; it shares the arrays. */
    public org.vtpm.crypto.RsaPrivateKey rsaPrivate() {
        return privateKey.withPublic(key.publicKey());
    }

    void secrets(Consumer<byte[]> visitor) {
        privateKey.secrets(visitor);
        visitor.accept(usageAuth);
        visitor.accept(migrationAuth);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "LoadedKey[0x" + Integer.toHexString(handle) + "]";
    }
}
