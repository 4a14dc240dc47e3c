package org.vtpm.itests.root20;

import java.nio.ByteBuffer;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;

/** The fields of a sealed blob, found by its description in docs/root-tpm20.md and not by the code that made it. */
record Fields(byte[] endorsement, byte[] storageKey, byte[] object, byte[] secret) {
    private static final int MAGIC_AND_VERSION = 10;
    private static final int CHECKSUM = 32;
    private static final int AUTH_POLICY_AT = 8;

    static Fields of(byte[] sealed) {
        ByteBuffer in = ByteBuffer.wrap(sealed).position(MAGIC_AND_VERSION);
        return new Fields(sized(in), sized(in), sized(in), sized(in));
    }

    /** The blob with the checksum that it should have. */
    static byte[] withChecksum(byte[] sealed) throws Exception {
        int end = sealed.length - CHECKSUM;
        byte[] fixed = sealed.clone();
        System.arraycopy(sha256(Arrays.copyOf(sealed, end)), 0, fixed, end, CHECKSUM);
        return fixed;
    }

    /** authPolicy of a TPMT_PUBLIC, which type, nameAlg and objectAttributes come before. */
    static byte[] authPolicy(byte[] publicArea) {
        return sized(ByteBuffer.wrap(publicArea).position(AUTH_POLICY_AT));
    }

    /** TPMT_PUBLIC of an RSA key of 2048 bits that signs with RSASSA and SHA-256. */
    static byte[] signingKey(byte[] der) throws Exception {
        RSAPublicKey key = (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der));
        byte[] modulus = key.getModulus().toByteArray();
        byte[] bare = Arrays.copyOfRange(modulus, modulus.length - 256, modulus.length);
        return ByteBuffer.allocate(24 + 256)
                .putShort((short) 0x0001)
                .putShort((short) 0x000B)
                .putInt(0x00040040)
                .putShort((short) 0)
                .putShort((short) 0x0010)
                .putShort((short) 0x0014)
                .putShort((short) 0x000B)
                .putShort((short) 2048)
                .putInt(0)
                .putShort((short) 256)
                .put(bare)
                .array();
    }

    static byte[] name(byte[] publicArea) throws Exception {
        return ByteBuffer.allocate(34)
                .putShort((short) 0x000B)
                .put(sha256(publicArea))
                .array();
    }

    private static byte[] sized(ByteBuffer in) {
        byte[] bytes = new byte[in.getShort() & 0xFFFF];
        in.get(bytes);
        return bytes;
    }

    private static byte[] sha256(byte[] bytes) throws Exception {
        return MessageDigest.getInstance("SHA-256").digest(bytes);
    }
}
