package org.vtpm.listener.swtpm;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Cuts a stream of bytes into TPM commands by the size field of their headers (a big-endian 32-bit number at offset 2,
 * TPM Main Part 2, section 2.2.2 and TPM 2.0 Part 1, section 18.2). Memory follows what arrived, never what a header
 * claims. Used by one thread.
 */
final class CommandAssembler {
    /** Smallest command: a header alone. */
    static final int MIN_COMMAND = 10;

    /** Largest command: the buffer of swtpm and of the guests' drivers. */
    static final int MAX_COMMAND = 4096;

    private static final int SIZE_OFFSET = 2;
    private static final int SIZE_END = SIZE_OFFSET + Integer.BYTES;

    // Most commands fit in this much, so it is kept between two of them; a larger array goes back at once.
    private static final int KEPT = 256;

    private static final byte[] NOTHING = new byte[0];

    private byte[] data = NOTHING;
    private int start;
    private int end;

    /** What the bytes gathered so far amount to. */
    sealed interface Result {}

    /** Not yet a whole command. */
    record Incomplete() implements Result {}

    /** A header whose size no command can have: where the next command begins cannot be known. */
    record BadSize(long size) implements Result {}

    /** One whole command; its size field equals its length. */
    record Command(byte[] bytes) implements Result {}

    private static final Incomplete INCOMPLETE = new Incomplete();

    /** How many bytes {@link #append} takes now; more than 0 while {@link #next} answers {@link Incomplete}. */
    int room() {
        return MAX_COMMAND - held();
    }

    /** Whether no bytes wait for a command to become complete or to be taken. */
    boolean isEmpty() {
        return held() == 0;
    }

    /** Adds at most {@link #room} bytes. */
    void append(ByteBuffer bytes) {
        int count = bytes.remaining();
        if (data.length - end < count) {
            makeRoom(count);
        }
        bytes.get(data, end, count);
        end += count;
    }

    /** Takes the next whole command out. */
    Result next() {
        if (held() < SIZE_END) {
            return INCOMPLETE;
        }
        int field = start + SIZE_OFFSET;
        long size = Integer.toUnsignedLong(ByteBuffer.wrap(data).getInt(field));
        if (size < MIN_COMMAND || size > MAX_COMMAND) {
            return new BadSize(size);
        }
        if (held() < size) {
            return INCOMPLETE;
        }
        byte[] command = Arrays.copyOfRange(data, start, start + (int) size);
        start += command.length;
        if (start == end) {
            clear();
        }
        return new Command(command);
    }

    /** Forgets what was gathered. */
    void clear() {
        start = 0;
        end = 0;
        if (data.length > KEPT) {
            data = NOTHING;
        }
    }

    private int held() {
        return end - start;
    }

    private void makeRoom(int count) {
        int held = held();
        int needed = held + count;
        byte[] target = data;
        if (data.length < needed) {
            target = new byte[Math.min(MAX_COMMAND, Math.max(KEPT, Math.max(needed, 2 * data.length)))];
        }
        System.arraycopy(data, start, target, 0, held);
        data = target;
        start = 0;
        end = held;
    }
}
