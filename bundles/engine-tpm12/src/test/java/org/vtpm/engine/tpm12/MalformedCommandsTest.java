package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.vtpm.codec.ByteWriter;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.tpm12.structure.ReturnCode;

/** A guest may send anything. */
class MalformedCommandsTest {
    private final TestTpm tpm = TestTpm.started();

    @Property(tries = 20_000)
    void everyRequestGetsAWholeResponseAndNoneAnInternalFault(
            @ForAll("requests") byte[] request, @ForAll("localities") int locality) {
        TestTpm.Response response = TestTpm.parse(tpm.execute(locality, request));
        assertThat(response.code()).isNotEqualTo(ReturnCode.FAIL.code());
        assertThat(response.code()).isNotEqualTo(ReturnCode.FAILEDSELFTEST.code());
        assertThat(response.code() == 0 || response.parameters().length == 0).isTrue();
    }

    @Provide
    Arbitrary<Integer> localities() {
        return Arbitraries.integers().between(0, 4);
    }

    /** Mostly well-formed headers, since what lies behind them is what breaks. */
    @Provide
    Arbitrary<byte[]> requests() {
        Arbitrary<Integer> tags = Arbitraries.of(0xC1, 0xC1, 0xC2, 0xC3, 0xC4);
        List<Command> commands = CommandTable.all();
        Arbitrary<Integer> ordinals = Arbitraries.of(commands).map(Command::ordinal);
        Arbitrary<byte[]> framed = Combinators.combine(tags, ordinals, bodies())
                .as((tag, ordinal, body) -> new ByteWriter()
                        .u16(tag)
                        .i32(10 + body.length)
                        .i32(ordinal)
                        .bytes(body)
                        .finish());
        Arbitrary<byte[]> raw = Arbitraries.bytes().array(byte[].class).ofMaxSize(40);
        return Arbitraries.frequencyOf(Tuple.of(9, framed), Tuple.of(1, raw));
    }

    /** Words of small and extreme numbers, cut anywhere: they make lengths, counts and indices. */
    private static Arbitrary<byte[]> bodies() {
        Arbitrary<Integer> words = Arbitraries.of(
                0, 1, 2, 3, 4, 5, 20, 64, 0x108, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 0x10000, 0x00180000);
        Arbitrary<byte[]> structured = Combinators.combine(
                        words.list().ofMaxSize(12), Arbitraries.integers().between(0, 3))
                .as((list, cut) -> {
                    ByteWriter out = new ByteWriter();
                    list.forEach(out::i32);
                    byte[] all = out.finish();
                    return Arrays.copyOf(all, Math.max(0, all.length - cut));
                });
        return Arbitraries.oneOf(
                structured, Arbitraries.bytes().array(byte[].class).ofMaxSize(120));
    }
}
