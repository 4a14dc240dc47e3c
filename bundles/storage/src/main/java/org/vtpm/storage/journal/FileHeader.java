package org.vtpm.storage.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Hmac;

/**
 * What a file begins with; the rest of its first sector is zeros.
 *
 * @param number of the file, which its name tells too
 * @param tag HMAC-SHA-256 over the fields before it: the chain's first
 * @param sum CRC-32C of all before it
 */
record FileHeader(
        @Fixed(8) byte[] magic,
        @U16 int version,
        @Fixed(JournalKey.ID_LENGTH) byte[] hostKeyId,
        long number,
        @Fixed(Block.TAG) byte[] tag,
        int sum) {
    /** Length in bytes with the zeros. */
    static final int LENGTH = Block.SECTOR;

    private static final byte[] MAGIC = "VTPMJRNL".getBytes(US_ASCII);
    private static final int VERSION = 1;
    private static final int FIELDS = 26;
    private static final Codec<FileHeader> CODEC = Codec.of(FileHeader.class);

    static FileHeader of(byte[] hostKeyId, byte[] chainKey, long number) {
        FileHeader open = new FileHeader(MAGIC, VERSION, hostKeyId, number, new byte[Block.TAG], 0);
        FileHeader tagged = new FileHeader(MAGIC, VERSION, hostKeyId, number, open.tag(chainKey), 0);
        return new FileHeader(MAGIC, VERSION, hostKeyId, number, tagged.tag, tagged.sumOfFields());
    }

    byte[] encode() {
        return Arrays.copyOf(CODEC.encode(this), LENGTH);
    }

    /**
     * Reads and checks what can be checked without a key.
     *
     * @throws IOException if it is not a header, or damaged; the message says what is wrong with "it"
     */
    static FileHeader decode(byte[] sector) throws IOException {
        ByteReader in = new ByteReader(sector);
        FileHeader header;
        try {
            header = CODEC.read(in);
        } catch (CodecException e) {
            throw new IOException("it is too short to be a journal", e);
        }
        if (!Arrays.equals(header.magic, MAGIC)) {
            throw new IOException("it is no journal, or its start is damaged");
        }
        if (header.sum != header.sumOfFields() || !Block.isZero(sector, in.position(), sector.length)) {
            throw new IOException("its start is damaged");
        }
        if (header.version != VERSION) {
            throw new IOException("it has version " + header.version + " of the format and this program knows version "
                    + VERSION + " only");
        }
        return header;
    }

    /** The tag that this must carry. */
    byte[] tag(byte[] chainKey) {
        return Hmac.sha256(chainKey, Arrays.copyOf(CODEC.encode(this), FIELDS));
    }

    private int sumOfFields() {
        CRC32C crc = new CRC32C();
        crc.update(CODEC.encode(this), 0, FIELDS + Block.TAG);
        return (int) crc.getValue();
    }
}
