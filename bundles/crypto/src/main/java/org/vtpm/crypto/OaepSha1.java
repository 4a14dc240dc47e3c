package org.vtpm.crypto;

import java.util.Arrays;

/**
 * The OAEP encoding with SHA-1 and MGF1 (RFC 8017, section 7.1), without the leading zero byte that RSA puts before it. On
 * its own it blinds migration blobs, with seed and label hash chosen by the caller (TPM Main Part 1, section 27.4 and Part
 * 3, section 11).
 */
public final class OaepSha1 {
    /** How much longer an encoding is than its message, at least. */
    public static final int OVERHEAD = 2 * Sha1.LENGTH + 1;

    private OaepSha1() {}

    /**
     * What an encoding holds.
     *
     * @param seed the 20 bytes it was made with
     * @param labelHash 20 bytes: SHA-1 of the label, or what was put in its place
     * @param message the plaintext
     */
    public record Content(byte[] seed, byte[] labelHash, byte[] message) {
        /** Zeroes what it holds. */
        public void destroy() {
            Secrets.zero(seed, labelHash, message);
        }

        /** Names nothing of the content. */
        @Override
        public String toString() {
            return "Content[secret]";
        }
    }

    /**
     * Encodes.
     *
     * @param seed 20 bytes
     * @param labelHash 20 bytes
     * @param length of the result, at least {@value #OVERHEAD} more than the message's
     * @throws RsaException if the message is too long
     */
    public static byte[] encode(byte[] message, byte[] labelHash, byte[] seed, int length) throws RsaException {
        if (labelHash.length != Sha1.LENGTH || seed.length != Sha1.LENGTH) {
            throw new IllegalArgumentException("OAEP takes a label hash and a seed of 20 bytes each");
        }
        if (message.length > length - OVERHEAD) {
            throw new RsaException("a message of " + message.length + " bytes is too long for OAEP in " + length);
        }
        byte[] block = new byte[length - Sha1.LENGTH];
        System.arraycopy(labelHash, 0, block, 0, Sha1.LENGTH);
        block[block.length - message.length - 1] = 1;
        System.arraycopy(message, 0, block, block.length - message.length, message.length);
        mask(block, seed);
        byte[] maskedSeed = seed.clone();
        mask(maskedSeed, block);

        byte[] encoded = Arrays.copyOf(maskedSeed, length);
        System.arraycopy(block, 0, encoded, Sha1.LENGTH, block.length);
        return encoded;
    }

    /**
     * Takes an encoding apart. The label hash is for the caller to compare.
     *
     * @throws RsaException if it is none
     */
    public static Content decode(byte[] encoded) throws RsaException {
        if (encoded.length < OVERHEAD) {
            throw new RsaException("decoding failed");
        }
        byte[] block = unmasked(encoded);
        try {
            int separator = separator(block);
            if (separator == 0) {
                throw new RsaException("decoding failed");
            }
            byte[] seed = Arrays.copyOf(encoded, Sha1.LENGTH);
            mask(seed, Arrays.copyOfRange(encoded, Sha1.LENGTH, encoded.length));
            return new Content(
                    seed, Arrays.copyOf(block, Sha1.LENGTH), Arrays.copyOfRange(block, separator + 1, block.length));
        } finally {
            Secrets.zero(block);
        }
    }

    /**
     * The message in the result of an RSA decryption: a zero byte, then the encoding. All that can be wrong with it takes
     * the same time and gives the same error (Manger's attack lives on the difference).
     */
    static byte[] unpad(byte[] padded, byte[] labelHash) throws RsaException {
        if (padded.length < 1 + OVERHEAD) {
            throw new RsaException("decryption failed");
        }
        byte[] encoded = Arrays.copyOfRange(padded, 1, padded.length);
        byte[] block = unmasked(encoded);
        try {
            int difference = padded[0];
            for (int i = 0; i < Sha1.LENGTH; i++) {
                difference |= block[i] ^ labelHash[i];
            }
            int separator = separator(block);
            difference |= (separator - 1) >> 31;
            if (difference != 0) {
                throw new RsaException("decryption failed");
            }
            return Arrays.copyOfRange(block, separator + 1, block.length);
        } finally {
            Secrets.zero(encoded, block);
        }
    }

    /** The data block behind the seed. */
    private static byte[] unmasked(byte[] encoded) {
        byte[] block = Arrays.copyOfRange(encoded, Sha1.LENGTH, encoded.length);
        byte[] seed = Arrays.copyOf(encoded, Sha1.LENGTH);
        mask(seed, block);
        mask(block, seed);
        Secrets.zero(seed);
        return block;
    }

    /** Where the zeros behind the label hash end in a one, or 0 if they do not; looks at every byte whatever it finds. */
    private static int separator(byte[] block) {
        int separator = 0;
        int searching = -1;
        int wrong = 0;
        for (int i = Sha1.LENGTH; i < block.length; i++) {
            int isZero = isZero(block[i]);
            int isOne = isZero(block[i] ^ 1);
            separator |= i & searching & isOne;
            wrong |= searching & ~isZero & ~isOne;
            searching &= isZero;
        }
        return separator & ~wrong;
    }

    /** All ones for zero, zero for any other byte. */
    private static int isZero(int value) {
        return ((value & 0xFF) - 1) >> 31;
    }

    private static void mask(byte[] data, byte[] seed) {
        byte[] mask = Mgf1.sha1(seed, data.length);
        for (int i = 0; i < data.length; i++) {
            data[i] ^= mask[i];
        }
        Secrets.zero(mask);
    }
}
