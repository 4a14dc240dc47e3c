package org.vtpm.codec.stream;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Cuts a stream of bytes into TPM commands by the size field of their headers (a big-endian 32-bit number at offset 2,
 * TPM Main Part 2, section 2.2.2 and TPM 2.0 Part 1, section 18.2). Memory follows what arrived, never what a header
 * claims. Used by one thread.
 */
public final class CommandAssembler {
    /** Smallest command: a header of tag, size, and ordinal or return code. */
    public static final int MIN_COMMAND = 10;

    /** Largest command: the buffer of swtpm, of the original manager and of the guests' drivers. */
    public static final int MAX_COMMAND = 4096;

    private static final int SIZE_OFFSET = 2;

    // Most commands fit in this much, so it is kept between two of them; a larger array goes back at once.
    private static final int KEPT = 256;

    private static final byte[] NOTHING = new byte[0];

    private final int prefix;
    private byte[] data = NOTHING;
    private int start;
    private int end;

    /** What the bytes gathered so far amount to. */
    public sealed interface Result {}

    /** Not yet a whole command. */
    public record Incomplete() implements Result {}

    /** A header whose size no command can have: where the next command begins cannot be known. */
    public record BadSize(long size) implements Result {}

    /** One whole command, its prefix included; its size field equals its length without the prefix. */
    public record Command(byte[] bytes) implements Result {}

    private static final Incomplete INCOMPLETE = new Incomplete();

    /**
     * Expects commands.
     *
     * @param prefix bytes that stand before each command, such as an instance number; the size field does not count them
     */
    public CommandAssembler(int prefix) {
        this.prefix = prefix;
    }

    /** How many bytes {@link #append} takes now; more than 0 while {@link #next} answers {@link Incomplete}. */
    public int room() {
        return prefix + MAX_COMMAND - held();
    }

    /** Whether no bytes wait for a command to become complete or to be taken. */
    public boolean isEmpty() {
        return held() == 0;
    }

    /** The prefix of the next command, or as much of it as is here. */
    public byte[] prefix() {
        return Arrays.copyOfRange(data, start, start + Math.min(prefix, held()));
    }

    /** Adds at most {@link #room} bytes. */
    public void append(ByteBuffer bytes) {
        int count = bytes.remaining();
        if (data.length - end < count) {
            makeRoom(count);
        }
        bytes.get(data, end, count);
        end += count;
    }

    /** Takes the next whole command out. */
    public Result next() {
        int field = prefix + SIZE_OFFSET;
        if (held() < field + Integer.BYTES) {
            return INCOMPLETE;
        }
        long size = Integer.toUnsignedLong(ByteBuffer.wrap(data).getInt(start + field));
        if (size < MIN_COMMAND || size > MAX_COMMAND) {
            return new BadSize(size);
        }
        if (held() < prefix + size) {
            return INCOMPLETE;
        }
        byte[] command = Arrays.copyOfRange(data, start, start + prefix + (int) size);
        start += command.length;
        if (start == end) {
            clear();
        }
        return new Command(command);
    }

    /** Forgets what was gathered. */
    public void clear() {
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
            target = new byte[Math.min(prefix + MAX_COMMAND, Math.max(KEPT, Math.max(needed, 2 * data.length)))];
        }
        System.arraycopy(data, start, target, 0, held);
        data = target;
        start = 0;
        end = held;
    }
}
