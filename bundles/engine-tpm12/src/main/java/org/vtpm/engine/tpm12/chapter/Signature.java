package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.stream.IntStream;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Signing with a loaded key in its scheme (TPM Main Part 1, section 31.2.1, and Part 2, section 5.8.2). */
final class Signature {
    private Signature() {}

    /**
     * Refuses keys that do not sign what the TPM itself has put together. Those of the scheme DER sign what a guest
     * chose, and could be made to sign the same.
     *
     * @throws TpmException with INAPPROPRIATE_SIG or INVALID_KEYUSAGE
     */
    static void requireSigner(LoadedKey key) {
        requireScheme(
                key, ReturnCode.INAPPROPRIATE_SIG, Algorithm.SS_RSASSAPKCS1V15_SHA1, Algorithm.SS_RSASSAPKCS1V15_INFO);
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.IDENTITY, KeyUsage.LEGACY);
    }

    /** Refuses a key of none of these signature schemes. */
    static void requireScheme(LoadedKey key, ReturnCode code, int... schemes) {
        require(IntStream.of(schemes).anyMatch(scheme -> scheme == scheme(key)), code);
    }

    /** The signature scheme of a key. */
    static int scheme(LoadedKey key) {
        return key.key().algorithmParms().sigScheme();
    }

    /** Signs a SHA-1 digest. */
    static byte[] ofDigest(Transaction tx, LoadedKey key, byte[] digest) {
        return ofDigest(tx, key.rsaPrivate(), digest);
    }

    /** Signs a SHA-1 digest with a key that is not loaded. */
    static byte[] ofDigest(Transaction tx, RsaPrivateKey key, byte[] digest) {
        try {
            return tx.environment().rsa().signSha1(key, digest);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.BAD_KEY_PROPERTY);
        }
    }

    /**
     * Signs bytes that a guest says are DER.
     *
     * @throws TpmException with BAD_PARAMETER if there are too many of them for the key
     */
    static byte[] ofDer(Transaction tx, LoadedKey key, byte[] der) {
        try {
            return tx.environment().rsa().signRaw(key.rsaPrivate(), der);
        } catch (RsaException e) {
            throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
    }
}
