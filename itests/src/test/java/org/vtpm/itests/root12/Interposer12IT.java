package org.vtpm.itests.root12;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.itests.root12.Interposer.Exchange;
import org.vtpm.itests.root20.Signer;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Wire;

/** Somebody with a probe on the bus between the host and its TPM 1.2: learns no secret, and changes nothing unnoticed. */
class Interposer12IT {
    private static final byte[] SECRET = "a secret of thirty-two bytes 123".getBytes(UTF_8);
    private static final byte[] COUNTER_SECRET = "twenty secret bytes!".getBytes(UTF_8);
    private static final byte[] OWNER = Wire.sha1("the owner's password".getBytes(UTF_8));
    private static final byte[] NONE = {};
    private static final SealingTerms OWNED = new SealingTerms(Set.of(), NONE, OWNER, true);
    private static final Duration IMPATIENCE = Duration.ofMillis(300);
    private static final int RETRY = 0x800;

    /** Something to do with the root of trust, and what it has to result in. */
    private interface Work {
        Object with(RootOfTrust root) throws Exception;
    }

    @TempDir
    private Path folder;

    private Chip chip;
    private Interposer interposer;
    private RootOfTrust root;

    @BeforeEach
    void powerOn() throws Exception {
        chip = Chip.Maker.SWTPM.chip(folder.resolve("tpm"));
        interposer = Interposer.before(chip.port());
        root = Roots.at(interposer.place());
    }

    @AfterEach
    void powerOff() throws Exception {
        interposer.close();
        chip.close();
    }

    @Test
    void noSecretCrossesInClear() throws Exception {
        interposer.listen();
        byte[] sealed = root.seal(SECRET, OWNED);
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(root.unseal(root.reseal(sealed, SECRET, OWNER))).isEqualTo(SECRET);
        Signer signer = Signer.make(folder, Signer.Kind.EC);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] toPcrs = root.seal(SECRET, new SealingTerms(Set.of(7), signer.publicKey(), OWNER, false));
        List<PcrValue> now = policies.pcrs(Set.of(7));
        toPcrs = policies.approve(toPcrs, SECRET, now, signer.sign(policies.toSign(toPcrs, now)));
        assertThat(root.unseal(toPcrs)).isEqualTo(SECRET);
        MonotonicCounters counters = root.counters().orElseThrow();
        byte[] counter = counters.create(COUNTER_SECRET, OWNER);
        assertThat(counters.increment(counter, COUNTER_SECRET)).isEqualTo(counters.read(counter, COUNTER_SECRET));
        counters.release(counter, COUNTER_SECRET, OWNER);

        StringBuilder wire = new StringBuilder();
        for (Exchange exchange : interposer.seen()) {
            wire.append(HexFormat.of().formatHex(exchange.command())).append('\n');
            wire.append(HexFormat.of().formatHex(exchange.response())).append('\n');
        }
        assertThat(wire).hasSizeGreaterThan(10_000);
        for (byte[] secret : List.of(SECRET, COUNTER_SECRET, OWNER)) {
            for (int at = 0; at + 8 <= secret.length; at++) {
                assertThat(wire.toString()).doesNotContain(HexFormat.of().formatHex(secret, at, at + 8));
            }
        }
    }

    @Test
    void noResponseToUnsealIsChangedUnnoticed() throws Exception {
        byte[] sealed = root.seal(SECRET, OWNED);
        flipEveryByte(each -> HexFormat.of().formatHex(each.unseal(sealed)));
    }

    @Test
    void noResponseToReadingACounterIsChangedUnnoticed() throws Exception {
        byte[] counter = counter();
        flipEveryByte(each -> each.counters().orElseThrow().read(counter, COUNTER_SECRET));
    }

    @Test
    void noResponseToRaisingACounterIsChangedUnnoticed() throws Exception {
        byte[] counter = counter();
        // Whatever is done to the responses, the answer is what the TPM has.
        flipEveryByte(each -> each.counters().orElseThrow().increment(counter, COUNTER_SECRET)
                - Roots.at(chip.place()).counters().orElseThrow().read(counter, COUNTER_SECRET));
    }

    @Test
    void oldAnswersAboutACounterAreNoticed() throws Exception {
        byte[] counter = counter();
        MonotonicCounters counters = root.counters().orElseThrow();
        interposer.listen();
        long old = counters.read(counter, COUNTER_SECRET);
        List<Exchange> recorded = interposer.seen();
        counters.increment(counter, COUNTER_SECRET);
        // All that was played before, from the first command on.
        interposer.play(
                (n, command, response) -> n < recorded.size() ? recorded.get(n).response() : response);
        assertThatThrownBy(() -> counters.read(counter, COUNTER_SECRET)).isInstanceOf(RootOfTrustException.class);
        interposer.listen();
        assertThat(counters.read(counter, COUNTER_SECRET)).isEqualTo(old + 1);
    }

    /** What a TPM does that lets its counters rest, or is at its self-test: in front of a wrapped command it says so outside. */
    @Test
    void aTpmThatAsksForPatienceGetsIt() throws Exception {
        byte[] sealed = root.seal(SECRET, OWNED);
        // The TPM carries the command out, which nobody is told of: only those count that may come twice.
        interposer.play(
                (n, command, response) -> n % 2 == 1 || ordinal(command) != Ordinal.OIAP.code() ? response : refusal());
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        interposer.play((n, command, response) -> refusal());
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("busy");
    }

    private byte[] counter() throws Exception {
        root.seal(SECRET, OWNED);
        return root.counters().orElseThrow().create(COUNTER_SECRET, OWNER);
    }

    /** Each byte of each response, one at a time: the work fails, or results in what it has to. */
    private void flipEveryByte(Work work) throws Exception {
        interposer.listen();
        Object expected = work.with(root);
        List<Exchange> honest = interposer.seen();
        RootOfTrust impatient = Roots.at(interposer.place(), IMPATIENCE);
        int failed = 0;
        for (int n = 0; n < honest.size(); n++) {
            for (int at = 0; at < honest.get(n).response().length; at++) {
                // A changed nonce makes us send wrong authorizations, which the TPM counts.
                chip.resetLock(OWNER);
                int which = n;
                int where = at;
                interposer.play((number, command, response) -> {
                    if (number == which && where < response.length) {
                        response[where] ^= 1;
                    }
                    return response;
                });
                try {
                    assertThat(work.with(impatient))
                            .as("byte %d of response %d", at, n)
                            .isEqualTo(expected);
                } catch (RootOfTrustException e) {
                    failed++;
                }
            }
        }
        assertThat(failed).isGreaterThan(100);
        chip.resetLock(OWNER);
        interposer.listen();
        assertThat(work.with(root)).isEqualTo(expected);
        assertThat(chip.leftovers()).isEmpty();
    }

    private static byte[] refusal() {
        return Wire.concat(Wire.u16(0xC4), Wire.u32(10), Wire.u32(RETRY));
    }

    private static int ordinal(byte[] command) {
        return ByteBuffer.wrap(command).getInt(6);
    }
}
