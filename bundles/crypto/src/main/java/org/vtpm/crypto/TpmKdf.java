package org.vtpm.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The key derivations of TPM 2.0 (TPM 2.0 Library, Part 1) with SHA-256: KDFa is NIST SP 800-108 in counter mode on HMAC, KDFe
 * the one-step derivation of NIST SP 800-56A. Labels are ASCII, their terminating zero is added here.
 */
public final class TpmKdf {
    private TpmKdf() {}

    /**
     * KDFa.
     *
     * @param label what the key is for, such as {@code ATH}
     * @param length of the result in bytes
     */
    public static byte[] a(byte[] key, String label, byte[] contextU, byte[] contextV, int length) {
        byte[] fixedLabel = terminated(label);
        byte[] result = new byte[length];
        for (int at = 0, counter = 1; at < length; at += Sha256.LENGTH, counter++) {
            byte[] block =
                    Hmac.sha256(key, number(counter), fixedLabel, contextU, contextV, number(Byte.SIZE * length));
            System.arraycopy(block, 0, result, at, Math.min(block.length, length - at));
            Secrets.zero(block);
        }
        return result;
    }

    /**
     * KDFe.
     *
     * @param z x coordinate of the shared point
     * @param use what the key is for, such as {@code SECRET}
     * @param partyU x coordinate of the ephemeral public key
     * @param partyV x coordinate of the TPM's public key
     * @param length of the result in bytes
     */
    public static byte[] e(byte[] z, String use, byte[] partyU, byte[] partyV, int length) {
        byte[] fixedUse = terminated(use);
        byte[] result = new byte[length];
        for (int at = 0, counter = 1; at < length; at += Sha256.LENGTH, counter++) {
            byte[] block = Sha256.of(number(counter), z, fixedUse, partyU, partyV);
            System.arraycopy(block, 0, result, at, Math.min(block.length, length - at));
            Secrets.zero(block);
        }
        return result;
    }

    private static byte[] terminated(String label) {
        byte[] bytes = label.getBytes(US_ASCII);
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
    }
}
