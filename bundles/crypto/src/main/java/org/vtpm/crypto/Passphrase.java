package org.vtpm.crypto;

import java.util.Arrays;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.params.KeyParameter;

/** Keys from pass phrases, in the ways that other programs have made them. */
public final class Passphrase {
    private Passphrase() {}

    /** PBKDF2 with HMAC-SHA-512 (RFC 8018, section 5.2). */
    public static byte[] pbkdf2Sha512(byte[] phrase, byte[] salt, int iterations, int length) {
        PKCS5S2ParametersGenerator generator = new PKCS5S2ParametersGenerator(new SHA512Digest());
        generator.init(phrase, salt, iterations);
        return ((KeyParameter) generator.generateDerivedMacParameters(Byte.SIZE * length)).getKey();
    }

    /** The start of the phrase's SHA-512 (FIPS 180-4): who guesses phrases is not slowed down. */
    public static byte[] sha512(byte[] phrase, int length) {
        SHA512Digest digest = new SHA512Digest();
        digest.update(phrase, 0, phrase.length);
        byte[] whole = new byte[digest.getDigestSize()];
        digest.doFinal(whole, 0);
        byte[] key = Arrays.copyOf(whole, length);
        Secrets.zero(whole);
        return key;
    }
}
