package org.vtpm.crypto;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;

/** The block formats of PKCS#1 v1.5 (RFC 8017, sections 7.2 and 9.2). */
final class Pkcs1Padding {
    /** Zero, block type, at least eight bytes of padding, zero. */
    static final int OVERHEAD = 11;

    /** The DER encoding of a DigestInfo with SHA-1, up to the digest. */
    private static final byte[] SHA1_DIGEST_INFO = HexFormat.of().parseHex("3021300906052b0e03021a05000414");

    private Pkcs1Padding() {}

    static byte[] sha1DigestInfo(byte[] digest) {
        byte[] info = Arrays.copyOf(SHA1_DIGEST_INFO, SHA1_DIGEST_INFO.length + Sha1.LENGTH);
        System.arraycopy(digest, 0, info, SHA1_DIGEST_INFO.length, Sha1.LENGTH);
        return info;
    }

    /** Block type 1, for signatures. */
    static byte[] forSignature(byte[] data, int length) throws RsaException {
        byte[] block = block(1, data, length);
        Arrays.fill(block, 2, length - data.length - 1, (byte) 0xFF);
        return block;
    }

    /** Block type 2, for encryption. */
    static byte[] forEncryption(byte[] message, int length, SecureRandom random) throws RsaException {
        byte[] block = block(2, message, length);
        byte[] padding = new byte[length - message.length - 3];
        random.nextBytes(padding);
        for (int i = 0; i < padding.length; i++) {
            while (padding[i] == 0) {
                padding[i] = (byte) random.nextInt(256);
            }
        }
        System.arraycopy(padding, 0, block, 2, padding.length);
        return block;
    }

    /**
     * The message in a block of type 2. All that can be wrong takes the same time and gives the same error; telling that
     * there was one is what Bleichenbacher's attack needs, and a format without integrity cannot hide it.
     */
    static byte[] messageOf(byte[] block) throws RsaException {
        if (block.length < OVERHEAD) {
            throw new RsaException("decryption failed");
        }
        int wrong = block[0] | (block[1] ^ 2);
        int separator = 0;
        int searching = -1;
        for (int i = 2; i < block.length; i++) {
            int isZero = ((block[i] & 0xFF) - 1) >> 31;
            separator |= i & searching & isZero;
            searching &= ~isZero;
        }
        wrong |= (separator - (OVERHEAD - 1)) >> 31;
        if (wrong != 0) {
            throw new RsaException("decryption failed");
        }
        return Arrays.copyOfRange(block, separator + 1, block.length);
    }

    private static byte[] block(int type, byte[] content, int length) throws RsaException {
        if (content.length > length - OVERHEAD) {
            throw new RsaException(content.length + " bytes are too many for PKCS#1 in " + length);
        }
        byte[] block = new byte[length];
        block[1] = (byte) type;
        System.arraycopy(content, 0, block, length - content.length, content.length);
        return block;
    }
}
