package org.vtpm.transport.fifo.wire;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * One message.
 *
 * @param guest whether the packet is the guest's own (a TPM command or its response) or the channel's (SAVENVM, LOADNVM, SNAPSHOT)
 * @param locality 0 to 4; meant for commands, 0 elsewhere
 * @param conversation a command and all that is said until its response carry the same positive number; a later
 *     conversation has a greater one. The handshake has 0
 * @param turn 0 for the message that opens the conversation, then one more for each message, whoever sends it
 * @param packet tag, size, ordinal or status, parameters; the size is that of the whole packet
 */
public record Frame(boolean guest, int locality, long conversation, int turn, byte[] packet) {
    /** Greatest TPM command or response in bytes: what a vTPM's ring and its buffers hold. */
    public static final int MAX_GUEST_PACKET = 4096;

    /** Greatest packet of the channel itself in bytes: bounds the state of a TPM. */
    public static final int MAX_CONTROL_PACKET = 1 << 20;

    /** Tag, size and ordinal. */
    static final int PACKET_HEADER = 10;

    private static final int SIZE_OFFSET = 2;
    private static final int MAX_LOCALITY = 4;

    /**
     * Refuses what could not be told apart on the wire.
     *
     * @throws IllegalArgumentException if the packet's own size field is not its size, or a number is out of its range
     */
    public Frame {
        if (locality < 0 || locality > MAX_LOCALITY) {
            throw new IllegalArgumentException("locality " + locality);
        }
        if (packet.length < PACKET_HEADER || packet.length > maxPacket(guest)) {
            throw new IllegalArgumentException("a packet of " + packet.length + " bytes");
        }
        int stated = ByteBuffer.wrap(packet).getInt(SIZE_OFFSET);
        if (stated != packet.length) {
            throw new IllegalArgumentException(
                    "a packet of " + packet.length + " bytes whose header says " + Integer.toUnsignedString(stated));
        }
    }

    static int maxPacket(boolean guest) {
        return guest ? MAX_GUEST_PACKET : MAX_CONTROL_PACKET;
    }

    /** The next message of the same conversation. */
    Frame reply(boolean byGuest, byte[] answer) {
        return new Frame(byGuest, 0, conversation, turn + 1, answer);
    }

    /** Whether this is the next message of the conversation after {@code before}. */
    boolean follows(Frame before) {
        return conversation == before.conversation && turn == before.turn + 1;
    }

    /** Zeroes the packet, which may hold state. */
    void wipe() {
        Arrays.fill(packet, (byte) 0);
    }

    /** Names nothing of the packet but its size. */
    @Override
    public String toString() {
        return "Frame[" + (guest ? "guest" : "control") + ", locality " + locality + ", " + conversation + "." + turn
                + ", " + packet.length + " bytes]";
    }
}
