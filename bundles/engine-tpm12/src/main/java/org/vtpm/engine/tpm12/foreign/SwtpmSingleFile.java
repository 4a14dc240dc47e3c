package org.vtpm.engine.tpm12.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.api.engine.EngineStateException;

/**
 * The file in which swtpm keeps all states of a TPM ({@code backend-uri=file://}). Little-endian: u64 magic, u8 version,
 * u8 zero, u16 length of this header, then for each state u32 offset in the file or 0, u32 length, u32 space kept for it.
 * The first three are the permanent, the volatile and the saved state, each a {@link SwtpmFile}.
 */
final class SwtpmSingleFile {
    private static final byte[] MAGIC = {'n', 'i', 'l', 'm', 'p', 't', 'w', 's'};
    private static final int VERSION = 1;
    private static final int HEADER_LENGTH = 10;
    private static final int ENTRIES = 12;
    private static final int ENTRY = 12;

    private static final List<String> STATES = List.of("permanent state", "volatile state", "saved state");

    private SwtpmSingleFile() {}

    /** Whether a file is one of these. */
    static boolean is(byte[] file) {
        return file.length >= MAGIC.length && Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /** The permanent state; the caller zeroes it. */
    static byte[] permanent(byte[] file) throws EngineStateException {
        Range range = range(file, 0);
        if (range.isAbsent()) {
            throw new EngineStateException("swtpm's single file holds no permanent state: no TPM was made in it yet");
        }
        return Arrays.copyOfRange(file, range.offset(), range.end());
    }

    /** What else is there and is not imported, one sentence each. */
    static List<String> leftBehind(byte[] file) throws EngineStateException {
        List<String> notes = new ArrayList<>();
        for (int i = 1; i < STATES.size(); i++) {
            if (!range(file, i).isAbsent()) {
                notes.add("The " + STATES.get(i) + " is not imported: the TPM starts as after a loss of power.");
            }
        }
        return notes;
    }

    /** Where a state lies in the file. */
    private record Range(int offset, int end) {
        boolean isAbsent() {
            return offset == 0;
        }
    }

    private static Range range(byte[] file, int index) throws EngineStateException {
        int least = ENTRIES + STATES.size() * ENTRY;
        if (file.length < least) {
            throw new EngineStateException("swtpm's single file is cut short: it has " + file.length + " bytes only");
        }
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int version = in.get(MAGIC.length) & 0xFF;
        if (version != VERSION) {
            throw new EngineStateException("swtpm's single file has a format of version " + version
                    + ", but only version " + VERSION + " can be read");
        }
        int header = in.getShort(HEADER_LENGTH) & 0xFFFF;
        if (header < least) {
            throw new EngineStateException("swtpm's single file is damaged: its header has " + header + " bytes only");
        }
        int entry = ENTRIES + index * ENTRY;
        long offset = Integer.toUnsignedLong(in.getInt(entry));
        long end = offset + Integer.toUnsignedLong(in.getInt(entry + Integer.BYTES));
        if (offset != 0 && (offset < header || end > file.length)) {
            throw new EngineStateException("swtpm's single file is damaged or cut short: its " + STATES.get(index)
                    + " lies from byte " + offset + " to " + end + " of " + file.length);
        }
        return offset == 0 ? new Range(0, 0) : new Range((int) offset, (int) end);
    }
}
