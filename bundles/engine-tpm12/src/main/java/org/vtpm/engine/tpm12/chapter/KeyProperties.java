package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.AuthDataUsage;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.RsaKeyParms;
import org.vtpm.tpm12.structure.TpmKey;

/** Which algorithms, schemes and lengths a key of each usage may have (TPM Main Part 2, section 5.8.1). */
final class KeyProperties {
    private static final int PRIMES = 2;
    private static final int MIN_BITS = 512;
    private static final int MAX_BITS = 2048;
    private static final int FIPS_BITS = 1024;
    /** The primes are made of whole bytes. */
    private static final int GRANULARITY = 16;

    /** The exponent of every standard key, in full. */
    private static final byte[] F4 = {1, 0, 1};

    private KeyProperties() {}

    /** Refuses a key that this TPM can not make or use: with BAD_KEY_PROPERTY, or NOTFIPS where the flag FIPS is set. */
    static void check(Transaction tx, TpmKey key) {
        KeyParms parms = key.algorithmParms();
        require(parms.algorithmId() == Algorithm.RSA, ReturnCode.BAD_KEY_PROPERTY);
        RsaKeyParms rsa = parms.rsa();
        require(!tx.is(PermanentFlags.Flag.FIPS) || fips(key, rsa), ReturnCode.NOTFIPS);
        require(
                rsa.numPrimes() == PRIMES
                        && rsa.keyLength() >= MIN_BITS
                        && rsa.keyLength() <= MAX_BITS
                        && rsa.keyLength() % GRANULARITY == 0
                        && fits(key.keyUsage(), parms)
                        && (!standard(key.keyUsage()) || standard(rsa)),
                ReturnCode.BAD_KEY_PROPERTY);
    }

    private static boolean fips(TpmKey key, RsaKeyParms rsa) {
        return rsa.keyLength() >= FIPS_BITS
                && key.authDataUsage() != AuthDataUsage.NEVER
                && key.keyUsage() != KeyUsage.LEGACY;
    }

    private static boolean fits(int usage, KeyParms parms) {
        int enc = parms.encScheme();
        int sig = parms.sigScheme();
        boolean noEnc = enc == Algorithm.ES_NONE;
        boolean oaep = enc == Algorithm.ES_RSAESOAEP_SHA1_MGF1;
        boolean anyEnc = oaep || enc == Algorithm.ES_RSAESPKCSV15;
        boolean noSig = sig == Algorithm.SS_NONE;
        boolean sha1 = sig == Algorithm.SS_RSASSAPKCS1V15_SHA1;
        boolean der = sig == Algorithm.SS_RSASSAPKCS1V15_DER;
        return switch (usage) {
            case KeyUsage.SIGNING -> noEnc && (sha1 || der || sig == Algorithm.SS_RSASSAPKCS1V15_INFO);
            case KeyUsage.STORAGE, KeyUsage.MIGRATE, KeyUsage.AUTHCHANGE -> oaep && noSig;
            case KeyUsage.IDENTITY -> noEnc && sha1;
            case KeyUsage.BIND -> anyEnc && noSig;
            case KeyUsage.LEGACY -> anyEnc && (sha1 || der);
            default -> false;
        };
    }

    /** Usages for which there is but one kind of key. */
    private static boolean standard(int usage) {
        return switch (usage) {
            case KeyUsage.STORAGE, KeyUsage.IDENTITY, KeyUsage.MIGRATE -> true;
            default -> false;
        };
    }

    /** Whether a key has the length and exponent that those usages demand. */
    static boolean standard(RsaKeyParms rsa) {
        return rsa.keyLength() == MAX_BITS && (rsa.exponent().length == 0 || Arrays.equals(rsa.exponent(), F4));
    }
}
