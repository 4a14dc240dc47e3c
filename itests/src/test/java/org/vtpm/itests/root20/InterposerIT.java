package org.vtpm.itests.root20;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.P256;
import org.vtpm.crypto.Sha256;
import org.vtpm.itests.root20.Interposer.Exchange;
import org.vtpm.itests.root20.Interposer.Mischief;

/** Somebody with a probe on the bus between the host and its TPM: learns no secret, and changes nothing unnoticed. */
class InterposerIT {
    private static final byte[] SECRET = "a secret of thirty-two bytes 123".getBytes(UTF_8);
    private static final byte[] COUNTER_SECRET = "twenty secret bytes!".getBytes(UTF_8);
    private static final String OWNER = "the owner's password";
    private static final byte[] NO_AUTH = {};
    private static final int HEADER = 10;
    private static final int SIZE_AT = 2;
    private static final Duration IMPATIENCE = Duration.ofMillis(300);

    /** Something to do with the root of trust, and what it has to result in. */
    private interface Work {
        Object with(RootOfTrust root) throws Exception;
    }

    @TempDir
    private Path folder;

    private Tpm2 tpm;
    private Interposer interposer;
    private RootOfTrust root;

    @BeforeEach
    void powerOn() throws Exception {
        tpm = Tpm2.start(folder.resolve("tpm"));
        interposer = Interposer.before(tpm.port());
        root = Roots.at(interposer.place());
    }

    @AfterEach
    void powerOff() throws Exception {
        interposer.close();
        tpm.close();
    }

    @Test
    void noSecretCrossesInClear() throws Exception {
        interposer.listen();
        byte[] sealed = sealedToPcrs();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(root.unseal(root.seal(SECRET, SealingTerms.NONE))).isEqualTo(SECRET);
        MonotonicCounters counters = root.counters().orElseThrow();
        byte[] counter = counters.create(COUNTER_SECRET, NO_AUTH);
        assertThat(counters.increment(counter, COUNTER_SECRET)).isEqualTo(counters.read(counter, COUNTER_SECRET));
        counters.release(counter, COUNTER_SECRET, NO_AUTH);

        tpm.tool("tpm2_changeauth", "-c", "owner", OWNER);
        SealingTerms terms = new SealingTerms(Set.of(), new byte[0], OWNER.getBytes(UTF_8), false);
        assertThat(root.unseal(root.seal(SECRET, terms))).isEqualTo(SECRET);
        counters.release(counters.create(COUNTER_SECRET, OWNER.getBytes(UTF_8)), COUNTER_SECRET, OWNER.getBytes(UTF_8));

        StringBuilder wire = new StringBuilder();
        for (Exchange exchange : interposer.seen()) {
            wire.append(HexFormat.of().formatHex(exchange.command())).append('\n');
            wire.append(HexFormat.of().formatHex(exchange.response())).append('\n');
        }
        assertThat(wire).hasSizeGreaterThan(10_000);
        for (byte[] secret : List.of(SECRET, COUNTER_SECRET, OWNER.getBytes(UTF_8))) {
            for (int at = 0; at + 8 <= secret.length; at++) {
                assertThat(wire.toString()).doesNotContain(HexFormat.of().formatHex(secret, at, at + 8));
            }
        }
    }

    @Test
    void noResponseToUnsealIsChangedUnnoticed() throws Exception {
        byte[] sealed = sealedToPcrs();
        flipEveryByte(each -> HexFormat.of().formatHex(each.unseal(sealed)));
    }

    @Test
    void noResponseToReadingACounterIsChangedUnnoticed() throws Exception {
        byte[] counter = root.counters().orElseThrow().create(COUNTER_SECRET, NO_AUTH);
        flipEveryByte(each -> each.counters().orElseThrow().read(counter, COUNTER_SECRET));
    }

    @Test
    void noResponseToRaisingACounterIsChangedUnnoticed() throws Exception {
        MonotonicCounters counters = root.counters().orElseThrow();
        byte[] counter = counters.create(COUNTER_SECRET, NO_AUTH);
        // Whatever is done to the responses, the answer is what the TPM has.
        flipEveryByte(each -> each.counters().orElseThrow().increment(counter, COUNTER_SECRET)
                - direct().read(counter, COUNTER_SECRET));
    }

    @Test
    void aStorageKeyOfSomebodyElseIsNoticed() throws Exception {
        byte[] sealed = sealedToPcrs();
        P256.Point stranger = stranger();
        interposer.play(new Mischief() {
            @Override
            public byte[] response(int n, byte[] command, byte[] response) {
                if (code(command) != Interposer.CREATE_PRIMARY) {
                    return response;
                }
                try {
                    return withKey(command, response, stranger);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        });
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("another TPM");
        assertThat(interposer.seen()).extracting(Exchange::code).contains(Interposer.CREATE_PRIMARY);
    }

    /** The session key is then known to the stranger, but to the TPM only and not to us. */
    @Test
    void aSaltOfSomebodyElseIsNoticed() throws Exception {
        byte[] sealed = sealedToPcrs();
        Fields fields = Fields.of(sealed);
        int length = fields.storageKey().length;
        P256.Point storageKey = new P256.Point(
                Arrays.copyOfRange(fields.storageKey(), length - 66, length - 34),
                Arrays.copyOfRange(fields.storageKey(), length - 32, length));
        P256.Point stranger = P256.agree(storageKey, new SecureRandom()).ephemeral();
        interposer.play(new Mischief() {
            @Override
            public byte[] command(int n, byte[] command) {
                // Header, two handles, nonce and the salt's size; then two sized coordinates.
                int salt = HEADER + 8 + 34 + 2;
                if (code(command) != Interposer.START_AUTH_SESSION || command.length < salt + 68) {
                    return command;
                }
                byte[] changed = command.clone();
                System.arraycopy(stranger.x(), 0, changed, salt + 2, 32);
                System.arraycopy(stranger.y(), 0, changed, salt + 36, 32);
                return changed;
            }
        });
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("between here and the TPM");
    }

    /** The session key does not depend on it, and a wrong decryption could pass for a secret or a counter. */
    @ParameterizedTest
    @ValueSource(strings = {"000601000043000b", "000a000b000b", "0010000b"})
    void anotherEncryptionIsNoticed(String symmetricAndHash) throws Exception {
        byte[] sealed = sealedToPcrs();
        byte[] counter = root.counters().orElseThrow().create(COUNTER_SECRET, NO_AUTH);
        List<Work> works = List.of(
                each -> each.unseal(sealed),
                each -> each.counters().orElseThrow().read(counter, COUNTER_SECRET),
                each -> each.seal(SECRET, SealingTerms.NONE));
        byte[] wanted = HexFormat.of().parseHex("000600800043000b");
        for (Work work : works) {
            interposer.listen();
            work.with(root);
            List<Exchange> honest = interposer.seen();
            for (int n = 0; n < honest.size(); n++) {
                byte[] command = honest.get(n).command();
                int end = command.length - wanted.length;
                if (end < 0 || !Arrays.equals(Arrays.copyOfRange(command, end, command.length), wanted)) {
                    continue;
                }
                int which = n;
                interposer.play(new Mischief() {
                    @Override
                    public byte[] command(int n, byte[] asked) {
                        if (n != which) {
                            return asked;
                        }
                        byte[] other = HexFormat.of().parseHex(symmetricAndHash);
                        ByteBuffer changed = ByteBuffer.allocate(end + other.length);
                        changed.put(asked, 0, end).put(other).putInt(SIZE_AT, changed.capacity());
                        return changed.array();
                    }
                });
                assertThatThrownBy(() -> work.with(root)).isInstanceOf(RootOfTrustException.class);
            }
        }
    }

    @Test
    void oldAnswersAboutACounterAreNoticed() throws Exception {
        MonotonicCounters counters = root.counters().orElseThrow();
        byte[] counter = counters.create(COUNTER_SECRET, NO_AUTH);
        interposer.listen();
        long old = counters.read(counter, COUNTER_SECRET);
        List<Exchange> recorded = interposer.seen();
        for (int code : new int[] {Interposer.NV_READ, Interposer.NV_INCREMENT}) {
            interposer.listen();
            counters.increment(counter, COUNTER_SECRET);
            List<Exchange> before = code == Interposer.NV_READ ? recorded : interposer.seen();
            byte[] answer = before.stream()
                    .filter(each -> each.code() == code)
                    .findFirst()
                    .orElseThrow()
                    .response();
            interposer.play(instead(code, answer));
            Work work = code == Interposer.NV_READ
                    ? each -> each.counters().orElseThrow().read(counter, COUNTER_SECRET)
                    : each -> each.counters().orElseThrow().increment(counter, COUNTER_SECRET);
            assertThatThrownBy(() -> work.with(root))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("not that of the TPM that was enrolled");
        }
        // All that was played before, from the first command on.
        interposer.play(new Mischief() {
            @Override
            public byte[] response(int n, byte[] command, byte[] response) {
                return n < recorded.size() ? recorded.get(n).response() : response;
            }
        });
        assertThatThrownBy(() -> counters.read(counter, COUNTER_SECRET)).isInstanceOf(RootOfTrustException.class);
        interposer.listen();
        assertThat(counters.read(counter, COUNTER_SECRET)).isEqualTo(old + 2);
    }

    /** TPM_RC_YIELDED, TESTING, NV_RATE, RETRY, NV_UNAVAILABLE. */
    @ParameterizedTest
    @ValueSource(ints = {0x908, 0x90A, 0x920, 0x922, 0x923})
    void aTpmThatAsksForPatienceGetsIt(int code) throws Exception {
        byte[] sealed = sealedToPcrs();
        interposer.play(new Mischief() {
            @Override
            public byte[] command(int n, byte[] command) {
                return n % 3 == 0 ? command : harmless();
            }

            @Override
            public byte[] response(int n, byte[] command, byte[] response) {
                return n % 3 == 0 ? response : error(code);
            }
        });
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
    }

    @Test
    void aTpmThatAsksForPatienceWithoutEndIsGivenUp() throws Exception {
        byte[] sealed = sealedToPcrs();
        interposer.play(new Mischief() {
            @Override
            public byte[] response(int n, byte[] command, byte[] response) {
                return error(0x922);
            }
        });
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("try again later");
    }

    /** Each byte of each response in turn; what has no session cannot be told, but does no harm either. */
    private void flipEveryByte(Work work) throws Exception {
        interposer.listen();
        Object expected = work.with(root);
        List<Exchange> honest = interposer.seen();
        RootOfTrust impatient = Roots.at(interposer.place(), IMPATIENCE);
        List<String> unnoticed = new ArrayList<>();
        for (int n = 0; n < honest.size(); n++) {
            for (int i = 0; i < honest.get(n).response().length; i++) {
                interposer.play(flip(n, i));
                boolean size = i >= SIZE_AT && i < SIZE_AT + 4;
                try {
                    assertThat(work.with(size ? impatient : root)).isEqualTo(expected);
                    unnoticed.add(
                            String.format("%d: 0x%03X byte %d", n, honest.get(n).code(), i));
                } catch (RootOfTrustException e) {
                    assertThat(e).hasMessageMatching("(?s).{30,}");
                }
            }
        }
        // FlushContext, NV_ReadPublic: nothing depends on what they say.
        assertThat(unnoticed).allMatch(each -> each.contains("0x165") || each.contains("0x169"));
        interposer.listen();
        assertThat(work.with(root)).isEqualTo(expected);
        assertThat(tpm.lockoutCounter()).isZero();
        assertThat(tpm.leftovers()).isEmpty();
    }

    /** Each byte of each command but its size in turn: the TPM does what it was told, or refuses. */
    @Test
    void noCommandIsChangedUnnoticed() throws Exception {
        byte[] sealed = sealedToPcrs();
        byte[] counter = root.counters().orElseThrow().create(COUNTER_SECRET, NO_AUTH);
        List<Work> works = List.of(
                each -> HexFormat.of().formatHex(each.unseal(sealed)),
                each -> each.counters().orElseThrow().increment(counter, COUNTER_SECRET)
                        - direct().read(counter, COUNTER_SECRET));
        for (Work work : works) {
            interposer.listen();
            Object expected = work.with(root);
            List<Exchange> honest = interposer.seen();
            Set<Integer> harmless = new HashSet<>();
            for (int n = 0; n < honest.size(); n++) {
                for (int i = 0; i < honest.get(n).command().length; i++) {
                    if (i >= SIZE_AT && i < HEADER - 4) {
                        continue;
                    }
                    interposer.play(flipCommand(n, i));
                    try {
                        assertThat(work.with(root)).isEqualTo(expected);
                        harmless.add(honest.get(n).code());
                    } catch (RootOfTrustException e) {
                        assertThat(e).hasMessageMatching("(?s).{30,}");
                    }
                }
            }
            // The question for persistent handles, and the first nonce of the session without a salt, which has no use.
            assertThat(harmless)
                    .isSubsetOf(Interposer.FLUSH_CONTEXT, Interposer.GET_CAPABILITY, Interposer.START_AUTH_SESSION);
        }
        interposer.listen();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(tpm.lockoutCounter()).isZero();
        assertThat(tpm.leftovers()).isEmpty();
    }

    private static Mischief flipCommand(int when, int where) {
        return new Mischief() {
            @Override
            public byte[] command(int n, byte[] command) {
                return n == when && where < command.length ? flipped(command, where) : command;
            }
        };
    }

    private static byte[] flipped(byte[] message, int where) {
        byte[] changed = message.clone();
        changed[where] ^= (byte) (1 << where % 8);
        return changed;
    }

    private static Mischief flip(int when, int where) {
        return new Mischief() {
            @Override
            public byte[] response(int n, byte[] command, byte[] response) {
                return n == when && where < response.length ? flipped(response, where) : response;
            }
        };
    }

    /** Keeps commands of one kind from the TPM, and answers them itself. */
    private static Mischief instead(int code, byte[] answer) {
        return new Mischief() {
            @Override
            public byte[] command(int n, byte[] command) {
                return code(command) == code ? harmless() : command;
            }

            @Override
            public byte[] response(int n, byte[] command, byte[] response) {
                return code(command) == code ? answer : response;
            }
        };
    }

    /** TPM2_GetRandom of one byte. */
    private static byte[] harmless() {
        return HexFormat.of().parseHex("80010000000c0000017b0001");
    }

    private static byte[] error(int code) {
        return ByteBuffer.allocate(HEADER)
                .putShort((short) 0x8001)
                .putInt(HEADER)
                .putInt(code)
                .array();
    }

    private static int code(byte[] command) {
        return ByteBuffer.wrap(command).getInt(6);
    }

    /** TPM2_CreatePrimary's response with another key, its name and an HMAC that fits: that one has an empty key. */
    private static byte[] withKey(byte[] command, byte[] response, P256.Point key) throws Exception {
        byte[] changed = response.clone();
        ByteBuffer in = ByteBuffer.wrap(changed);
        int parametersAt = HEADER + 4 + 4;
        int parametersEnd = parametersAt + in.getInt(parametersAt - 4);
        int publicAt = parametersAt + 2;
        int publicEnd = publicAt + in.getShort(parametersAt);
        System.arraycopy(key.x(), 0, changed, publicEnd - 66, 32);
        System.arraycopy(key.y(), 0, changed, publicEnd - 32, 32);
        byte[] name = Fields.name(Arrays.copyOfRange(changed, publicAt, publicEnd));
        System.arraycopy(name, 0, changed, parametersEnd - name.length, name.length);

        byte[] nonceTpm = Arrays.copyOfRange(changed, parametersEnd + 2, parametersEnd + 34);
        // Header, handle, size of the authorizations, handle of the session.
        int nonceAt = HEADER + 4 + 4 + 4 + 2;
        byte[] nonceCaller = Arrays.copyOfRange(command, nonceAt, nonceAt + 32);
        byte[] rpHash = Sha256.of(
                new byte[4],
                ByteBuffer.allocate(4).putInt(code(command)).array(),
                Arrays.copyOfRange(changed, parametersAt, parametersEnd));
        byte[] hmac = Hmac.sha256(new byte[0], rpHash, nonceTpm, nonceCaller, new byte[] {changed[parametersEnd + 34]});
        System.arraycopy(hmac, 0, changed, changed.length - hmac.length, hmac.length);
        return changed;
    }

    private static P256.Point stranger() {
        // The generator of the curve gives another point with a private key that nobody here remembers.
        P256.Point generator = new P256.Point(
                HexFormat.of().parseHex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
                HexFormat.of().parseHex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"));
        return P256.agree(generator, new SecureRandom()).ephemeral();
    }

    private MonotonicCounters direct() {
        return Roots.at(tpm.place()).counters().orElseThrow();
    }

    private byte[] sealedToPcrs() throws Exception {
        Set<Integer> pcrs = Set.of(0, 7);
        Signer signer = Signer.make(folder, Signer.Kind.EC);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, new SealingTerms(pcrs, signer.publicKey(), new byte[0], false));
        List<PcrValue> now = policies.pcrs(pcrs);
        return policies.approve(sealed, SECRET, now, signer.sign(policies.toSign(sealed, now)));
    }
}
