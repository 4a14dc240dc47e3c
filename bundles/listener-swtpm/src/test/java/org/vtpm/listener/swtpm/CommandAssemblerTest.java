package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandAssemblerTest {
    private final CommandAssembler assembler = new CommandAssembler();

    @Test
    void aCommandIsFoundWhereverItIsSplitInTwo() {
        byte[] command = FakeInstance.command(37, 5);
        for (int split = 1; split < command.length; split++) {
            assembler.append(ByteBuffer.wrap(command, 0, split));
            assertThat(assembler.next()).isInstanceOf(CommandAssembler.Incomplete.class);
            assertThat(assembler.isEmpty()).isFalse();
            assembler.append(ByteBuffer.wrap(command, split, command.length - split));
            assertThat(taken()).containsExactly(command);
            assertThat(assembler.isEmpty()).isTrue();
        }
    }

    @Property(tries = 300)
    void anyStreamOfCommandsIsCutTheSameHoweverItArrives(
            @ForAll("sizes") List<Integer> sizes, @ForAll("pieces") List<Integer> pieces) {
        CommandAssembler fresh = new CommandAssembler();
        List<byte[]> commands = new ArrayList<>();
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        for (int size : sizes) {
            byte[] command = FakeInstance.command(size, commands.size());
            commands.add(command);
            stream.writeBytes(command);
        }
        ByteBuffer bytes = ByteBuffer.wrap(stream.toByteArray());
        List<byte[]> found = new ArrayList<>();
        for (int i = 0; bytes.hasRemaining(); i++) {
            int count = Math.min(pieces.get(i % pieces.size()), Math.min(bytes.remaining(), fresh.room()));
            fresh.append(bytes.slice(bytes.position(), count));
            bytes.position(bytes.position() + count);
            while (fresh.next() instanceof CommandAssembler.Command command) {
                found.add(command.bytes());
            }
        }
        assertThat(found).containsExactlyElementsOf(commands);
        assertThat(fresh.isEmpty()).isTrue();
        assertThat(fresh.room()).isEqualTo(CommandAssembler.MAX_COMMAND);
    }

    @Provide
    Arbitrary<List<Integer>> sizes() {
        return Arbitraries.integers().between(10, 4096).list().ofMinSize(1).ofMaxSize(12);
    }

    @Provide
    Arbitrary<List<Integer>> pieces() {
        return Arbitraries.oneOf(
                        Arbitraries.integers().between(1, 15),
                        Arbitraries.integers().between(1, 4096))
                .list()
                .ofMinSize(1)
                .ofMaxSize(8);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 9, 4097, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE, -1})
    void aSizeThatNoCommandHasIsReportedBeforeTheHeaderIsComplete(int size) {
        assembler.append(
                ByteBuffer.allocate(6).putShort((short) 0xC1).putInt(size).flip());
        assertThat(assembler.next()).isEqualTo(new CommandAssembler.BadSize(Integer.toUnsignedLong(size)));
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 4096})
    void theSmallestAndTheLargestCommandPass(int size) {
        byte[] command = FakeInstance.command(size, 1);
        assertThat(assembler.room()).isGreaterThanOrEqualTo(size);
        assembler.append(ByteBuffer.wrap(command));
        assertThat(taken()).containsExactly(command);
    }

    private byte[] taken() {
        return ((CommandAssembler.Command) assembler.next()).bytes();
    }
}
