package org.vtpm.transport.fifo.wire;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Rest;
import org.vtpm.codec.U16;
import org.vtpm.codec.U32;

/**
 * A packet of the channel itself, in the original manager's layout and numbers.
 *
 * @param code ordinal of a request, TPM return code of a response
 */
record ControlPacket(
        @U16 int tag, @U32 long size, int code, @Rest byte[] parameters) {
    static final int REQUEST = 0x01C1;
    static final int RESPONSE = 0x01C4;

    /** Engine to manager: state to be made durable. */
    static final int SAVENVM = 1;
    /** Engine to manager: asks for the state to start with. */
    static final int LOADNVM = 2;
    /** Manager to engine: asks for a snapshot. The original manager has no such request. */
    static final int SNAPSHOT = 3;

    static final int SUCCESS = 0;
    static final int FAIL = 9;
    static final int IOERROR = 31;

    /** What is said here, so that ends of different releases part with a clear word: the parameters of LOADNVM. */
    private static final byte[] VERSION = {0, 2};

    private static final int MAX_REASON = 512;
    private static final Codec<ControlPacket> CODEC = Codec.of(ControlPacket.class);

    static byte[] request(int ordinal, byte[] parameters) {
        return encode(REQUEST, ordinal, parameters);
    }

    static byte[] response(int status, byte[] parameters) {
        return encode(RESPONSE, status, parameters);
    }

    static byte[] loadnvm() {
        return encode(REQUEST, LOADNVM, VERSION);
    }

    /** Whether this LOADNVM is of the version that is spoken here. */
    boolean isOurVersion() {
        return Arrays.equals(parameters, VERSION);
    }

    /** A refusal with its reason for people. */
    static byte[] refusal(String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        return response(FAIL, text.length <= MAX_REASON ? text : Arrays.copyOf(text, MAX_REASON));
    }

    private static byte[] encode(int tag, int code, byte[] parameters) {
        return CODEC.encode(new ControlPacket(tag, (long) Frame.PACKET_HEADER + parameters.length, code, parameters));
    }

    /**
     * The control packet that a frame carries.
     *
     * @throws FrameException if it carries another, or none
     */
    static ControlPacket of(Frame frame, int tag) throws FrameException {
        if (frame.guest()) {
            throw new FrameException("a TPM packet out of turn");
        }
        try {
            ControlPacket packet = CODEC.decode(frame.packet());
            if (packet.tag != tag) {
                throw new FrameException("a message with tag " + Integer.toHexString(packet.tag));
            }
            return packet;
        } catch (CodecException e) {
            throw new FrameException("a malformed message: " + e.getMessage(), e);
        }
    }

    /** The reason in a refusal, fit to be logged whoever wrote it. */
    String reason() {
        return new String(parameters, 0, Math.min(parameters.length, MAX_REASON), StandardCharsets.UTF_8)
                .replaceAll("\\p{Cntrl}", "?");
    }

    /** Names nothing of the parameters but their size. */
    @Override
    public String toString() {
        return "ControlPacket[" + Integer.toHexString(tag) + ", " + code + ", " + parameters.length + " bytes]";
    }
}
