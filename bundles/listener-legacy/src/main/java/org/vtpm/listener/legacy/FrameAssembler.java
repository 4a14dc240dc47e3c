package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * Cuts what comes out of a FIFO into frames: four bytes of instance number, then a TPM command or a vTPM command; both
 * give their length, without the prefix, as a big-endian 32-bit number at offset 2. Used by one thread.
 */
final class FrameAssembler {
    /** The instance number before each command and response. */
    static final int PREFIX = 4;

    /** The header of each command and response: tag, size, and ordinal or return code. */
    static final int HEADER = 10;

    /** Smallest frame. */
    static final int MIN_FRAME = PREFIX + HEADER;

    /** Largest frame: the original's COMMAND_BUFFER_SIZE, and the buffer of today's TPM drivers. */
    static final int MAX_FRAME = PREFIX + 4096;

    private static final int SIZE_OFFSET = PREFIX + 2;
    private static final int SIZE_END = SIZE_OFFSET + Integer.BYTES;

    private final byte[] data = new byte[2 * MAX_FRAME];
    private int start;
    private int end;

    /** What the bytes gathered so far amount to. */
    sealed interface Result {}

    /** Not yet a whole frame. */
    record Incomplete() implements Result {}

    /** A size that no command can have: where the next frame begins cannot be known. */
    record BadSize(long size) implements Result {}

    /** One whole frame, prefix included; its size field was checked against its length. */
    record Frame(byte[] bytes) implements Result {}

    private static final Incomplete INCOMPLETE = new Incomplete();

    /** Whether nothing of a frame is here. */
    boolean isEmpty() {
        return start == end;
    }

    /** The instance number that the next frame begins with, if that much of it is here. */
    OptionalLong instance() {
        return end - start < PREFIX
                ? OptionalLong.empty()
                : OptionalLong.of(Integer.toUnsignedLong(ByteBuffer.wrap(data).getInt(start)));
    }

    /** How many bytes {@link #append} takes now; more than 0 while {@link #next} answers {@link Incomplete}. */
    int room() {
        return data.length - (end - start);
    }

    /** Adds at most {@link #room} bytes. */
    void append(ByteBuffer bytes) {
        int count = bytes.remaining();
        if (data.length - end < count) {
            System.arraycopy(data, start, data, 0, end - start);
            end -= start;
            start = 0;
        }
        bytes.get(data, end, count);
        end += count;
    }

    /** Takes the next whole frame out. */
    Result next() {
        if (end - start < SIZE_END) {
            return INCOMPLETE;
        }
        long size = Integer.toUnsignedLong(ByteBuffer.wrap(data).getInt(start + SIZE_OFFSET));
        if (size < HEADER || size > MAX_FRAME - PREFIX) {
            return new BadSize(size);
        }
        int length = PREFIX + (int) size;
        if (end - start < length) {
            return INCOMPLETE;
        }
        byte[] frame = Arrays.copyOfRange(data, start, start + length);
        start += length;
        if (start == end) {
            clear();
        }
        return new Frame(frame);
    }

    /** Forgets what was gathered. */
    void clear() {
        start = 0;
        end = 0;
    }
}
