package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameAssemblerTest {
    private final FrameAssembler assembler = new FrameAssembler();

    @Test
    void aFrameIsFoundWhereverItIsSplitInTwo() {
        byte[] frame = frame(7, 33);
        for (int split = 1; split < frame.length; split++) {
            assembler.append(ByteBuffer.wrap(frame, 0, split));
            assertThat(assembler.next()).isInstanceOf(FrameAssembler.Incomplete.class);
            assertThat(assembler.instance().isPresent()).isEqualTo(split >= 4);
            assembler.append(ByteBuffer.wrap(frame, split, frame.length - split));
            assertThat(((FrameAssembler.Frame) assembler.next()).bytes()).containsExactly(frame);
            assertThat(assembler.isEmpty()).isTrue();
        }
    }

    @RepeatedTest(50)
    void anyStreamOfFramesIsCutTheSameHoweverItArrives(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<byte[]> frames = new ArrayList<>();
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        for (int i = 0; i < 30; i++) {
            byte[] frame = frame(i, 10 + random.nextInt(random.nextBoolean() ? 40 : 4087));
            frames.add(frame);
            stream.writeBytes(frame);
        }
        int largest = random.nextBoolean() ? 20 : FrameAssembler.MAX_FRAME;
        ByteBuffer bytes = ByteBuffer.wrap(stream.toByteArray());
        List<byte[]> found = new ArrayList<>();
        while (bytes.hasRemaining()) {
            assertThat(assembler.room()).isPositive();
            int count = Math.min(1 + random.nextInt(largest), Math.min(bytes.remaining(), assembler.room()));
            assembler.append(bytes.slice(bytes.position(), count));
            bytes.position(bytes.position() + count);
            while (assembler.next() instanceof FrameAssembler.Frame frame) {
                found.add(frame.bytes());
            }
        }
        assertThat(found).containsExactlyElementsOf(frames);
        assertThat(assembler.isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 4097, Integer.MAX_VALUE, -1})
    void aSizeThatNoCommandHasIsReported(int size) {
        byte[] frame = frame(3, 20);
        ByteBuffer.wrap(frame).putInt(6, size);
        assembler.append(ByteBuffer.wrap(frame));
        assertThat(assembler.next()).isEqualTo(new FrameAssembler.BadSize(Integer.toUnsignedLong(size)));
        assertThat(assembler.instance()).hasValue(3);
        assembler.clear();
        assertThat(assembler.isEmpty()).isTrue();
        assertThat(assembler.instance()).isEmpty();
    }

    private static byte[] frame(int instance, int size) {
        ByteBuffer out = ByteBuffer.allocate(4 + size)
                .putInt(instance)
                .putShort((short) 0xC1)
                .putInt(size);
        for (int i = 0; out.hasRemaining(); i++) {
            out.put((byte) (instance + i));
        }
        return out.array();
    }
}
