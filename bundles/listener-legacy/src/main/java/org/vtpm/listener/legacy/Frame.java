package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.OptionalLong;
import org.vtpm.codec.stream.CommandAssembler;

/**
 * The layout of what goes through the FIFOs: four bytes of instance number, then a TPM command or a vTPM command; both
 * give their length, without the prefix, as a big-endian 32-bit number at offset 2.
 */
final class Frame {
    /** The instance number before each command and response. */
    static final int PREFIX = 4;

    /** The header of each command and response: tag, size, and ordinal or return code. */
    static final int HEADER = CommandAssembler.MIN_COMMAND;

    /** Smallest frame. */
    static final int MIN = PREFIX + HEADER;

    /** Largest frame: the original's COMMAND_BUFFER_SIZE, and the buffer of today's TPM drivers. */
    static final int MAX = PREFIX + CommandAssembler.MAX_COMMAND;

    private Frame() {}

    /** The instance number in a prefix, if all of it is there. */
    static OptionalLong instance(byte[] prefix) {
        return prefix.length < PREFIX
                ? OptionalLong.empty()
                : OptionalLong.of(Integer.toUnsignedLong(ByteBuffer.wrap(prefix).getInt()));
    }
}
