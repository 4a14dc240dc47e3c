package org.vtpm.storage.journal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Hmac;

/**
 * How a block lies in a file: header, body, zeros, sums, tag, check sum; from one sector's start to another's end. The sums
 * are CRC-32Cs of header and body, one for what each sector has of them. They tell a sector that was never written from one
 * that is damaged.
 */
final class Block {
    /** What a disk writes wholly or not at all, in bytes; larger sectors are multiples of it. */
    static final int SECTOR = 512;
    /** Length of the header in bytes. */
    static final int HEADER = 20;
    /** Length of the tag in bytes. */
    static final int TAG = 32;
    /** The body of a block has at most so many bytes. */
    static final int BODY_LIMIT = 1 << 28;

    private static final int MAGIC = 0x5642_4C4B;
    private static final int SUM = 4;
    private static final Codec<Header> HEADER_CODEC = Codec.of(Header.class);

    private Block() {}

    /**
     * What a block begins with.
     *
     * @param sequence 1 in a file's first block, one more in each that follows
     * @param length of the body
     * @param sum CRC-32C of the fields before it
     */
    record Header(int magic, long sequence, int length, int sum) {
        static Header of(long sequence, int length) {
            Header open = new Header(MAGIC, sequence, length, 0);
            return new Header(MAGIC, sequence, length, open.sumOfFields());
        }

        private int sumOfFields() {
            return crc(HEADER_CODEC.encode(this), 0, HEADER - SUM);
        }

        byte[] encode() {
            return HEADER_CODEC.encode(this);
        }

        /** The length of the whole block. */
        int blockLength() {
            int data = HEADER + length;
            return pieces(data + SUM * pieces(data) + TAG + SUM) * SECTOR;
        }
    }

    /**
     * What is wrong with a block.
     *
     * @param offset in the block
     * @param unwritten whether it is that sectors hold zeros, and nothing else
     */
    record Flaw(int offset, String what, boolean unwritten) {}

    /** The header at the start of a sector; empty if there is none. */
    static Optional<Header> header(byte[] sector) {
        try {
            Header header = HEADER_CODEC.read(new ByteReader(sector));
            boolean good = header.magic == MAGIC
                    && header.length > 0
                    && header.length <= BODY_LIMIT
                    && header.sum == header.sumOfFields();
            return good ? Optional.of(header) : Optional.empty();
        } catch (CodecException e) {
            return Optional.empty();
        }
    }

    /** Whether bytes at the end of a file, too few for a header, are how one begins. */
    static boolean beginsLikeHeader(byte[] bytes) {
        byte[] magic = ByteBuffer.allocate(4).putInt(MAGIC).array();
        int known = Math.min(bytes.length, magic.length);
        return bytes.length < HEADER && Arrays.equals(bytes, 0, known, magic, 0, known);
    }

    static byte[] encode(Header header, List<BlockEntry> entries, byte[] tag) {
        ByteBuffer block = ByteBuffer.allocate(header.blockLength());
        block.put(header.encode());
        for (BlockEntry entry : entries) {
            block.put(entry.head()).put(entry.content());
        }
        int data = block.position();
        int sums = block.capacity() - SUM * pieces(data) - TAG - SUM;
        block.position(sums);
        for (int piece = 0; piece < pieces(data); piece++) {
            block.putInt(sumOfPiece(block.array(), piece, data));
        }
        block.put(tag);
        block.putInt(crc(block.array(), sums, block.position()));
        return block.array();
    }

    /** Finds what is wrong; damage before what was not written. */
    static Optional<Flaw> flaw(Header header, byte[] block) {
        int data = HEADER + header.length;
        int sums = block.length - SUM * pieces(data) - TAG - SUM;
        for (int start = sums / SECTOR * SECTOR; start < block.length; start += SECTOR) {
            if (isZero(block, start, start + SECTOR)) {
                return Optional.of(new Flaw(start, "the end of a block is zeros", true));
            }
        }
        ByteBuffer bytes = ByteBuffer.wrap(block);
        if (bytes.getInt(block.length - SUM) != crc(block, sums, block.length - SUM)) {
            return Optional.of(new Flaw(sums, "the end of a block is damaged", false));
        }
        Optional<Flaw> unwritten = Optional.empty();
        for (int piece = 0; piece < pieces(data); piece++) {
            int start = piece * SECTOR;
            if (bytes.getInt(sums + SUM * piece) != sumOfPiece(block, piece, data)) {
                if (!isZero(block, start, start + SECTOR)) {
                    return Optional.of(new Flaw(start, "a block is damaged", false));
                }
                unwritten = Optional.of(new Flaw(start, "a part of a block is zeros", true));
            }
        }
        if (!isZero(block, data, sums)) {
            return Optional.of(new Flaw(data, "a block is damaged where it holds nothing", false));
        }
        return unwritten;
    }

    /** The body of a block, to be read. */
    static ByteReader body(Header header, byte[] block) {
        return new ByteReader(block, HEADER, HEADER + header.length);
    }

    /** The tag that a block carries. */
    static byte[] tag(byte[] block) {
        return Arrays.copyOfRange(block, block.length - SUM - TAG, block.length - SUM);
    }

    /**
     * The tag that a block must carry: HMAC-SHA-256 over the tag before it, its header, and its entries, each followed by
     * the digest of its content in place of the content.
     */
    static byte[] tag(byte[] key, byte[] previous, Header header, List<BlockEntry> entries) {
        List<byte[]> parts = new ArrayList<>(2 + 2 * entries.size());
        parts.add(previous);
        parts.add(header.encode());
        for (BlockEntry entry : entries) {
            parts.add(entry.head());
            parts.add(entry.digest());
        }
        return Hmac.sha256(key, parts.toArray(byte[][]::new));
    }

    static boolean isZero(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static int pieces(int length) {
        return (length + SECTOR - 1) / SECTOR;
    }

    private static int sumOfPiece(byte[] block, int piece, int data) {
        return crc(block, piece * SECTOR, Math.min((piece + 1) * SECTOR, data));
    }

    private static int crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return (int) crc.getValue();
    }
}
