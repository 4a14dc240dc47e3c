package org.vtpm.crypto;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.Supplier;
import org.vtpm.api.bignum.BigNumberProvider;

/**
 * RSA as TPM 1.2 uses it (RFC 8017): OAEP with SHA-1, and PKCS#1 v1.5 encryption and signatures. Private operations go by
 * Chinese remaindering and are checked against the public key before anything of them is seen: one wrong half would give
 * the key's factors away. Thread-safe.
 */
public final class Rsa {
    private final Supplier<BigNumberProvider> provider;
    private final SecureRandom random;

    /**
     * Makes an RSA that computes with the provider of the moment.
     *
     * @param provider asked once for each operation
     * @param random for padding and seeds
     */
    public Rsa(Supplier<BigNumberProvider> provider, SecureRandom random) {
        this.provider = provider;
        this.random = random;
    }

    /**
     * Encrypts with OAEP.
     *
     * @param label such as the four bytes of "TCPA" (TPM Main Part 1, section 31.1.1)
     * @throws RsaException if the message is too long for the key
     */
    public byte[] encryptOaep(RsaPublicKey key, byte[] label, byte[] message) throws RsaException {
        byte[] seed = new byte[Sha1.LENGTH];
        random.nextBytes(seed);
        byte[] encoded = OaepSha1.encode(message, Sha1.of(label), seed, key.length() - 1);
        byte[] padded = new byte[key.length()];
        System.arraycopy(encoded, 0, padded, 1, encoded.length);
        try {
            return publicOperation(provider.get(), key, padded);
        } finally {
            Secrets.zero(seed, encoded, padded);
        }
    }

    /**
     * Decrypts what {@link #encryptOaep} made.
     *
     * @return the message; the caller zeroes it
     * @throws RsaException if it was not made for this key and label
     */
    public byte[] decryptOaep(RsaPrivateKey key, byte[] label, byte[] ciphertext) throws RsaException {
        byte[] padded = privateOperation(key, ciphertext);
        try {
            return OaepSha1.unpad(padded, Sha1.of(label));
        } finally {
            Secrets.zero(padded);
        }
    }

    /**
     * Encrypts with PKCS#1 v1.5.
     *
     * @throws RsaException if the message is too long for the key
     */
    public byte[] encryptPkcs1(RsaPublicKey key, byte[] message) throws RsaException {
        byte[] padded = Pkcs1Padding.forEncryption(message, key.length(), random);
        try {
            return publicOperation(provider.get(), key, padded);
        } finally {
            Secrets.zero(padded);
        }
    }

    /**
     * Decrypts what {@link #encryptPkcs1} made.
     *
     * @return the message; the caller zeroes it
     * @throws RsaException if it was not made for this key
     */
    public byte[] decryptPkcs1(RsaPrivateKey key, byte[] ciphertext) throws RsaException {
        byte[] padded = privateOperation(key, ciphertext);
        try {
            return Pkcs1Padding.messageOf(padded);
        } finally {
            Secrets.zero(padded);
        }
    }

    /**
     * Signs a SHA-1 digest with PKCS#1 v1.5.
     *
     * @param digest 20 bytes
     * @throws RsaException if the key is too short for a signature
     */
    public byte[] signSha1(RsaPrivateKey key, byte[] digest) throws RsaException {
        return signRaw(key, Pkcs1Padding.sha1DigestInfo(digest));
    }

    /**
     * Signs data with PKCS#1 v1.5 as it is: the caller made a DigestInfo of it, or something else.
     *
     * @throws RsaException if the data is longer than the key less 11 bytes
     */
    public byte[] signRaw(RsaPrivateKey key, byte[] data) throws RsaException {
        return privateOperation(
                key, Pkcs1Padding.forSignature(data, key.publicKey().length()));
    }

    /** Whether {@link #signSha1} made a signature of this digest. */
    public boolean verifySha1(RsaPublicKey key, byte[] digest, byte[] signature) {
        try {
            byte[] expected = Pkcs1Padding.forSignature(Pkcs1Padding.sha1DigestInfo(digest), key.length());
            return Arrays.equals(expected, publicOperation(provider.get(), key, signature));
        } catch (RsaException e) {
            return false;
        }
    }

    /**
     * The bare public operation (RFC 8017, section 5.1.1).
     *
     * @param input as long as the modulus, and less than it
     * @return as long as the modulus
     * @throws RsaException if the input is not
     */
    public byte[] publicOperation(RsaPublicKey key, byte[] input) throws RsaException {
        return publicOperation(provider.get(), key, input);
    }

    private byte[] privateOperation(RsaPrivateKey key, byte[] input) throws RsaException {
        checkRange(key.publicKey(), input);
        BigNumberProvider numbers = provider.get();
        byte[] output = numbers.rsaPrivate(input, key.crt());
        if (!Arrays.equals(publicOperation(numbers, key.publicKey(), output), input)) {
            Secrets.zero(output);
            throw new RsaException(
                    "the private operation failed its verification: the key is damaged, or the big-number "
                            + "provider " + numbers.name() + " miscalculated");
        }
        return output;
    }

    private static byte[] publicOperation(BigNumberProvider numbers, RsaPublicKey key, byte[] input)
            throws RsaException {
        checkRange(key, input);
        return numbers.modPow(input, key.exponentBytes(), key.modulus());
    }

    private static void checkRange(RsaPublicKey key, byte[] input) throws RsaException {
        if (input.length != key.length() || Arrays.compareUnsigned(input, key.modulus()) >= 0) {
            throw new RsaException("RSA takes numbers as long as the modulus and less than it");
        }
    }
}
