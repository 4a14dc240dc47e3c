package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.unsigned;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.vtpm.itests.tpm12.Structures;

/**
 * An RSA key that is made outside of all TPMs, the same in every run: both TPMs sign and decrypt alike with it.
 *
 * @param parms its TPM_KEY_PARMS
 */
record SoftKey(byte[] parms, BigInteger modulus, BigInteger prime, int bits) {
    private static final int MIGRATABLE = 2;
    private static final BigInteger EXPONENT = BigInteger.valueOf(65537);
    private static final byte[] SHA1_INFO = HexFormat.of().parseHex("3021300906052b0e03021a05000414");

    static SoftKey of(int number, int bits, int encScheme, int sigScheme) {
        Random random = new Random(number);
        BigInteger p = prime(bits / 2, random);
        BigInteger q = prime(bits / 2, random);
        return new SoftKey(Structures.rsaParms(encScheme, sigScheme, bits), p.multiply(q), p, bits);
    }

    /** A prime with its two highest bits set, so that two of them have a product of twice the length. */
    private static BigInteger prime(int bits, Random random) {
        while (true) {
            BigInteger prime = BigInteger.probablePrime(bits, random).setBit(bits - 2);
            if (prime.isProbablePrime(50)
                    && prime.subtract(BigInteger.ONE).gcd(EXPONENT).equals(BigInteger.ONE)) {
                return prime;
            }
        }
    }

    /** TPM_PUBKEY. */
    byte[] pubkey() {
        return Structures.pubkey(parms, modulus);
    }

    /**
     * A migratable key below the storage root key (TPM Main Part 2, sections 10.2 and 10.3), with the usual secrets.
     *
     * @param start what it begins with, in hex: the version of a TPM_KEY, or what stands in for it in a TPM_KEY12
     * @param keyFlags more flags
     * @param pcrInfo empty, TPM_PCR_INFO or TPM_PCR_INFO_LONG
     */
    byte[] wrapped(BigInteger parent, String start, int keyUsage, int keyFlags, int authDataUsage, byte[] pcrInfo) {
        byte[] head = concat(
                HexFormat.of().parseHex(start),
                u16(keyUsage),
                u32(MIGRATABLE | keyFlags),
                u8(authDataUsage),
                parms,
                sized(pcrInfo),
                sized(unsigned(modulus)));
        byte[] asymkey = concat(u8(1), Secrets.key(), Secrets.migration(), sha1(head), sized(unsigned(prime)));
        return concat(head, sized(Structures.oaep(parent, asymkey)));
    }

    /** A PKCS#1 v1.5 signature over a digest of SHA-1. */
    byte[] sign(byte[] digest) {
        byte[] info = concat(SHA1_INFO, digest);
        byte[] padding = new byte[bits / 8 - info.length - 3];
        Arrays.fill(padding, (byte) -1);
        BigInteger message = new BigInteger(1, concat(u8(0), u8(1), padding, u8(0), info));
        BigInteger q = modulus.divide(prime);
        BigInteger phi = prime.subtract(BigInteger.ONE).multiply(q.subtract(BigInteger.ONE));
        byte[] signature = unsigned(message.modPow(EXPONENT.modInverse(phi), modulus));
        return concat(new byte[bits / 8 - signature.length], signature);
    }
}
