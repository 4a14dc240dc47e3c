package org.vtpm.crypto;

/** The mask generation function MGF1 with SHA-1 (RFC 8017, appendix B.2.1). */
public final class Mgf1 {
    private Mgf1() {}

    /** A mask of any length from a seed of any length. */
    public static byte[] sha1(byte[] seed, int length) {
        byte[] mask = new byte[length];
        for (int counter = 0, done = 0; done < length; counter++) {
            byte[] block = Sha1.of(seed, new byte[] {
                (byte) (counter >>> 24), (byte) (counter >>> 16), (byte) (counter >>> 8), (byte) counter
            });
            int count = Math.min(block.length, length - done);
            System.arraycopy(block, 0, mask, done, count);
            Secrets.zero(block);
            done += count;
        }
        return mask;
    }
}
