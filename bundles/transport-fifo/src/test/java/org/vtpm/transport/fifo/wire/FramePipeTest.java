package org.vtpm.transport.fifo.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class FramePipeTest {
    private static final byte[] SECRET = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] COMMAND = HexFormat.of().parseHex("00c10000000c00000099" + "0001");

    @Test
    void theBytesAreThoseOfTheDocument() throws Exception {
        byte[] frame = sent(Role.MANAGER, new Frame(true, 3, 0x0102030405060708L, 2, COMMAND));
        String before = "60000001" + "00c10000000c000000990001" + "0102030405060708" + "00000002";
        assertThat(HexFormat.of().formatHex(frame, 0, frame.length - 16)).isEqualTo(before);

        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET, "HmacSHA256"));
        byte[] proof = mac.doFinal(HexFormat.of().parseHex("00" + before));
        assertThat(HexFormat.of().formatHex(frame, frame.length - 16, frame.length))
                .isEqualTo(HexFormat.of().formatHex(proof, 0, 16));
    }

    @Test
    void aFrameArrivesHoweverItIsCut() throws Exception {
        Frame frame = new Frame(true, 4, 77, 0, COMMAND);
        byte[] bytes = sent(Role.MANAGER, frame);
        for (int cut = 1; cut < bytes.length; cut++) {
            assertSame(frame, received(Role.ENGINE, new Pieces(bytes, cut)));
        }
    }

    @Test
    void aFrameGoesOutHoweverSlowlyItIsTaken() throws Exception {
        Frame frame = new Frame(false, 0, 77, 1, ControlPacket.request(ControlPacket.SAVENVM, new byte[20_000]));
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        WritableByteChannel slow = new WritableByteChannel() {
            @Override
            public int write(ByteBuffer source) {
                int count = Math.min(source.remaining(), 3);
                for (int i = 0; i < count; i++) {
                    taken.write(source.get());
                }
                return count;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
        new FramePipe(Role.ENGINE, empty(), slow, SECRET).write(frame);
        assertSame(frame, received(Role.MANAGER, new Pieces(taken.toByteArray(), 5000)));
    }

    @Test
    void anyChangedBitIsRefused() throws Exception {
        byte[] bytes = sent(Role.MANAGER, new Frame(true, 0, 77, 0, COMMAND));
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] changed = bytes.clone();
            changed[bit / 8] ^= (byte) (1 << (bit % 8));
            assertThatExceptionOfType(IOException.class)
                    .as("bit %d", bit)
                    .isThrownBy(() -> received(Role.ENGINE, new Pieces(changed, changed.length)));
        }
    }

    @Test
    void anyMissingByteIsAnEnd() throws Exception {
        byte[] bytes = sent(Role.MANAGER, new Frame(true, 0, 77, 0, COMMAND));
        for (int length = 0; length < bytes.length; length++) {
            byte[] shorter = Arrays.copyOf(bytes, length);
            assertThatExceptionOfType(EOFException.class)
                    .isThrownBy(() -> received(Role.ENGINE, new Pieces(shorter, bytes.length)));
        }
    }

    @Test
    void aFrameOfAnotherChannelIsRefused() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] other = SECRET.clone();
        other[31]++;
        new FramePipe(Role.MANAGER, empty(), Channels.newChannel(out), other).write(new Frame(true, 0, 77, 0, COMMAND));
        refused(out.toByteArray(), "not made by the other end");
    }

    @Test
    void aFrameSentBackToItsSenderIsRefused() throws Exception {
        refused(sent(Role.ENGINE, new Frame(true, 0, 77, 0, COMMAND)), "not made by the other end");
    }

    @Test
    void lyingLengthsAreRefusedBeforeAnythingIsAllocated() {
        for (String head : new String[] {
            "00000001" + "00c1" + "00000009" + "00000099",
            "00000001" + "00c1" + "00000000" + "00000099",
            "00000001" + "00c1" + "00001001" + "00000099",
            "00000001" + "00c1" + "7fffffff" + "00000099",
            "00000001" + "00c1" + "ffffffff" + "00000099",
            "00000001" + "00c1" + "80000000" + "00000099",
            "00000000" + "01c1" + "00100001" + "00000001",
        }) {
            refused(HexFormat.of().parseHex(head), "bytes long");
        }
        refused(HexFormat.of().parseHex("00000002" + "00c1" + "0000000a" + "00000099"), "nobody that speaks here");
    }

    @Test
    void whatCouldNotBeFramedIsRefusedBeforeItIsSent() {
        for (byte[] packet : new byte[][] {
            {}, new byte[9], new byte[10], new byte[4097], HexFormat.of().parseHex("00c10000000b00000099"),
        }) {
            assertThatIllegalArgumentException().isThrownBy(() -> new Frame(true, 0, 1, 0, packet));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new Frame(true, 5, 1, 0, COMMAND));
        assertThatIllegalArgumentException().isThrownBy(() -> new Frame(true, -1, 1, 0, COMMAND));
    }

    @Test
    void nothingOfAPacketIsShown() {
        assertThat(new Frame(true, 0, 1, 0, COMMAND).toString())
                .doesNotContain("99")
                .contains("12 bytes");
    }

    private static void refused(byte[] bytes, String why) {
        assertThatExceptionOfType(FrameException.class)
                .isThrownBy(() -> received(Role.ENGINE, new Pieces(bytes, bytes.length)))
                .withMessageContaining(why);
    }

    private static byte[] sent(Role sender, Frame frame) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new FramePipe(sender, empty(), Channels.newChannel(out), SECRET).write(frame);
        return out.toByteArray();
    }

    private static Frame received(Role receiver, ReadableByteChannel in) throws IOException {
        return new FramePipe(receiver, in, Channels.newChannel(new ByteArrayOutputStream()), SECRET).read();
    }

    private static ReadableByteChannel empty() {
        return Channels.newChannel(new ByteArrayInputStream(new byte[0]));
    }

    private static void assertSame(Frame expected, Frame actual) {
        assertThat(actual).usingRecursiveComparison().isEqualTo(expected);
    }

    /** Bytes that come in two pieces: the first {@code cut} of them, then the rest. */
    private static final class Pieces implements ReadableByteChannel {
        private final byte[] bytes;
        private final int cut;
        private int at;

        Pieces(byte[] bytes, int cut) {
            this.bytes = bytes;
            this.cut = cut;
        }

        @Override
        public int read(ByteBuffer target) {
            if (at == bytes.length) {
                return -1;
            }
            int end = at < cut ? Math.min(cut, bytes.length) : bytes.length;
            int count = Math.min(target.remaining(), end - at);
            target.put(bytes, at, count);
            at += count;
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
