package org.vtpm.codec.stream;

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
    private final CommandAssembler assembler = new CommandAssembler(0);

    @Test
    void aCommandIsFoundWhereverItIsSplitInTwo() {
        byte[] command = command(37, 5);
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
            @ForAll("prefixes") int prefix,
            @ForAll("sizes") List<Integer> sizes,
            @ForAll("pieces") List<Integer> pieces) {
        CommandAssembler fresh = new CommandAssembler(prefix);
        List<byte[]> commands = new ArrayList<>();
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        for (int size : sizes) {
            byte[] command = prefixed(prefix, command(size, commands.size()));
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
        assertThat(fresh.room()).isEqualTo(prefix + CommandAssembler.MAX_COMMAND);
    }

    @Provide
    Arbitrary<Integer> prefixes() {
        return Arbitraries.of(0, 4);
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
        byte[] command = command(size, 1);
        assertThat(assembler.room()).isGreaterThanOrEqualTo(size);
        assembler.append(ByteBuffer.wrap(command));
        assertThat(taken()).containsExactly(command);
    }

    @Test
    void thePrefixIsThereBeforeTheCommandAndStaysWhenItsSizeIsBad() {
        CommandAssembler prefixed = new CommandAssembler(4);
        byte[] command = prefixed(4, command(20, 3));
        ByteBuffer.wrap(command).putInt(6, 9);
        prefixed.append(ByteBuffer.wrap(command, 0, 3));
        assertThat(prefixed.prefix()).containsExactly(1, 2, 3);
        prefixed.append(ByteBuffer.wrap(command, 3, command.length - 3));
        assertThat(prefixed.next()).isEqualTo(new CommandAssembler.BadSize(9));
        assertThat(prefixed.prefix()).containsExactly(1, 2, 3, 4);
        prefixed.clear();
        assertThat(prefixed.isEmpty()).isTrue();
        assertThat(prefixed.prefix()).isEmpty();
    }

    /** A request of some ordinal. */
    private static byte[] command(int size, int seed) {
        ByteBuffer out = ByteBuffer.allocate(size).putShort((short) 0x00C1).putInt(size);
        for (int i = 0; out.hasRemaining(); i++) {
            out.put((byte) (seed + i));
        }
        return out.array();
    }

    /** The command behind the bytes 1, 2, ... */
    private static byte[] prefixed(int prefix, byte[] command) {
        ByteBuffer out = ByteBuffer.allocate(prefix + command.length);
        for (int i = 1; i <= prefix; i++) {
            out.put((byte) i);
        }
        return out.put(command).array();
    }

    private byte[] taken() {
        return ((CommandAssembler.Command) assembler.next()).bytes();
    }
}
