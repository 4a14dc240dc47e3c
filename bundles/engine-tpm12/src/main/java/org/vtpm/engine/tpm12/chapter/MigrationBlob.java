package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.OaepSha1;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.MigrateAsymkey;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.StorePrivkey;
import org.vtpm.tpm12.structure.TpmException;

/**
 * A key between two TPMs (TPM Main Part 3, sections 11.1, 11.9 and 12.1). An OAEP encoding, whose seed is the beginning
 * of the private key and whose label hash is a secret, is covered by a pad of its length and encrypted for the
 * destination: only who has pad and destination key learns the key.
 */
final class MigrationBlob {
    /** Between the private key's encoding and that of the blob: the rest of TPM_MIGRATE_ASYMKEY, and OAEP without seed. */
    private static final int OVERHEAD = 1 + Sha1.LENGTH + Sha1.LENGTH + Integer.BYTES + OaepSha1.OVERHEAD - Sha1.LENGTH;

    private MigrationBlob() {}

    /** How long the pad for a key is. */
    static int padLength(StoreAsymkey secret) {
        return Integer.BYTES + secret.privKey().length + OVERHEAD;
    }

    /**
     * Makes a blob.
     *
     * @param payload see {@link PayloadType}
     * @param usageAuth the 20 secret bytes that travel with the key
     * @param labelHash the 20 bytes that say who may migrate it
     * @param pad of the length {@link #padLength}
     * @return the blob, encrypted for the destination
     */
    static byte[] make(
            Transaction tx,
            StoreAsymkey secret,
            int payload,
            byte[] usageAuth,
            byte[] labelHash,
            byte[] pad,
            RsaPublicKey destination) {
        require(secret.privKey().length >= Sha1.LENGTH - Integer.BYTES, ReturnCode.BAD_KEY_PROPERTY);
        byte[] privKey = Codec.of(StorePrivkey.class).encode(new StorePrivkey(secret.privKey()));
        byte[] seed = Arrays.copyOf(privKey, Sha1.LENGTH);
        byte[] message = Codec.of(MigrateAsymkey.class)
                .encode(new MigrateAsymkey(
                        payload,
                        usageAuth,
                        secret.pubDataDigest(),
                        Arrays.copyOfRange(privKey, Sha1.LENGTH, privKey.length)));
        byte[] padded = {};
        try {
            padded = OaepSha1.encode(message, labelHash, seed, pad.length);
            xor(padded, pad);
            return Oaep.encrypt(tx.environment(), destination, padded);
        } catch (RsaException e) {
            throw new IllegalStateException("the pad is shorter than the blob", e);
        } finally {
            Secrets.zero(privKey, seed, message, padded);
        }
    }

    /**
     * Takes a blob apart. The caller destroys the result.
     *
     * @param decrypted what the destination key gave; is overwritten
     * @return the key with the payload of the blob and the label hash as its migrationAuth
     * @throws TpmException with BAD_PARAMETER, DECRYPT_ERROR or INVALID_STRUCTURE if blob and pad do not fit
     */
    static StoreAsymkey open(byte[] decrypted, byte[] pad) {
        require(decrypted.length == pad.length, ReturnCode.BAD_PARAMETER);
        xor(decrypted, pad);
        try {
            OaepSha1.Content content = OaepSha1.decode(decrypted);
            try {
                return join(Codec.of(MigrateAsymkey.class).decode(content.message()), content);
            } finally {
                content.destroy();
            }
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.DECRYPT_ERROR);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.INVALID_STRUCTURE);
        } finally {
            Secrets.zero(decrypted);
        }
    }

    /** Decrypts what came for a key; the caller zeroes it. */
    static byte[] decrypt(Transaction tx, LoadedKey destination, byte[] blob) {
        require(blob.length <= destination.rsaPublic().length(), ReturnCode.BAD_DATASIZE);
        return Oaep.decrypt(tx.environment(), destination.rsaPrivate(), blob);
    }

    private static StoreAsymkey join(MigrateAsymkey part, OaepSha1.Content content) throws CodecException {
        byte[] privKey =
                new ByteWriter().bytes(content.seed()).bytes(part.partPrivKey()).finish();
        try {
            switch (part.payload()) {
                case PayloadType.MIGRATE, PayloadType.MAINT, PayloadType.CMK_MIGRATE -> {}
                default -> throw new TpmException(ReturnCode.INVALID_STRUCTURE);
            }
            byte[] prime = Codec.of(StorePrivkey.class).decode(privKey).key();
            return new StoreAsymkey(
                    part.payload(),
                    part.usageAuth().clone(),
                    content.labelHash().clone(),
                    part.pubDataDigest(),
                    prime);
        } finally {
            part.destroy();
            Secrets.zero(privKey);
        }
    }

    private static void xor(byte[] data, byte[] pad) {
        for (int i = 0; i < data.length; i++) {
            data[i] ^= pad[i];
        }
    }
}
