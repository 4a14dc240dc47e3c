package org.vtpm.transport.fifo.wire;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.vtpm.codec.ByteWriter;

/**
 * Turns messages into bytes and back, with the proof that their sender knows the channel's secret. Big-endian throughout.
 *
 * <p>{@code prefix(4) packet(n) conversation(8) turn(4) proof(16)}: the original manager's frame, with what it lacks behind
 * it. The prefix has the locality in its top three bits; the rest of it is 1 for the guest's packets and 0, the original's
 * number for control, for the channel's own. The proof is the first half of HMAC-SHA256(secret, mark of the sender ||
 * everything before the proof).
 */
final class FrameCodec {
    /** Prefix, and the packet's tag, size and ordinal: what must be read before the length of a frame is known. */
    static final int HEAD = 4 + Frame.PACKET_HEADER;

    private static final int PREFIX = 4;
    private static final int SIZE_OFFSET = PREFIX + 2;
    private static final int PROOF = 16;
    private static final int TRAILER = 8 + 4 + PROOF;
    private static final int LOCALITY_SHIFT = 29;
    private static final int SPEAKER_MASK = (1 << LOCALITY_SHIFT) - 1;
    private static final int CONTROL = 0;
    private static final int GUEST = 1;
    private static final String MAC = "HmacSHA256";

    private final SecretKeySpec secret;

    FrameCodec(byte[] secret) {
        this.secret = new SecretKeySpec(secret, MAC);
    }

    byte[] encode(Role sender, Frame frame) {
        ByteWriter out = new ByteWriter(PREFIX + frame.packet().length + TRAILER);
        out.i32(frame.locality() << LOCALITY_SHIFT | (frame.guest() ? GUEST : CONTROL));
        out.bytes(frame.packet());
        out.number(frame.conversation(), 8);
        out.i32(frame.turn());
        out.bytes(new byte[PROOF]);
        byte[] bytes = out.finish();
        System.arraycopy(proof(sender, bytes), 0, bytes, bytes.length - PROOF, PROOF);
        return bytes;
    }

    /**
     * The length in bytes of the frame that starts with {@code head}, checked before anything of that size is allocated.
     *
     * @throws FrameException if no frame starts so
     */
    static int length(byte[] head) throws FrameException {
        ByteBuffer in = ByteBuffer.wrap(head);
        int speaker = in.getInt(0) & SPEAKER_MASK;
        if (speaker != GUEST && speaker != CONTROL) {
            throw new FrameException("a message of nobody that speaks here (" + speaker + ")");
        }
        int size = in.getInt(SIZE_OFFSET);
        if (size < Frame.PACKET_HEADER || size > Frame.maxPacket(speaker == GUEST)) {
            throw new FrameException("a message said to be " + Integer.toUnsignedString(size) + " bytes long");
        }
        return PREFIX + size + TRAILER;
    }

    /**
     * Decodes one frame whose length was found by {@link #length}.
     *
     * @throws FrameException if {@code sender} did not make it
     */
    Frame decode(Role sender, byte[] bytes) throws FrameException {
        int proofAt = bytes.length - PROOF;
        byte[] proof = Arrays.copyOfRange(bytes, proofAt, bytes.length);
        if (!MessageDigest.isEqual(proof, proof(sender, bytes))) {
            throw new FrameException("a message that was not made by the other end of this channel");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int prefix = in.getInt(0);
        try {
            return new Frame(
                    (prefix & SPEAKER_MASK) == GUEST,
                    prefix >>> LOCALITY_SHIFT,
                    in.getLong(bytes.length - TRAILER),
                    in.getInt(bytes.length - TRAILER + 8),
                    Arrays.copyOfRange(bytes, PREFIX, bytes.length - TRAILER));
        } catch (IllegalArgumentException e) {
            throw new FrameException("a malformed message: " + e.getMessage(), e);
        }
    }

    private byte[] proof(Role sender, byte[] frame) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(secret);
            mac.update(sender.mark());
            mac.update(frame, 0, frame.length - PROOF);
            return Arrays.copyOf(mac.doFinal(), PROOF);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java runtime has " + MAC, e);
        }
    }
}
