package org.vtpm.engine.tpm12.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.tpm12.structure.Adip;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TransportPublic;

/** What a command leaves behind, tried with handlers made for it. */
class TransactionTest {
    private static final byte[] SECRET = Sha1.of(new byte[] {1});
    private static final byte[] NONCE_EVEN = Sha1.of(new byte[] {2});
    private static final byte[] NONCE_ODD = Sha1.of(new byte[] {3});
    private static final int SESSION = 0x02000001;

    private final Map<StateKind, byte[]> stored = new EnumMap<>(StateKind.class);

    record Encrypted(@Fixed(20) byte[] value) {}

    @Test
    void aFailedCommandLeavesNothingButWhatSticks() throws EngineStateException {
        Tpm12Engine tpm = engine(handlers -> handlers.on("Reset", NoParameters.class, (tx, request) -> {
            tx.set(Flag.DISABLE, true);
            tx.set(StClearFlags.Flag.GLOBAL_LOCK, true);
            tx.stick(state -> state.withStClear(state.stClear().withFlag(StClearFlags.Flag.DISABLE_FORCE_CLEAR, true)));
            throw new TpmException(ReturnCode.BAD_TYPE);
        }));
        code(tpm, TestTpm.command(TestTpm.COMMAND, "Reset"), ReturnCode.BAD_TYPE);
        assertThat(stored).isEmpty();
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetTicks"), ReturnCode.SUCCESS);
        assertThat(seen).isEqualTo("false false true");
    }

    @Test
    void anInternalFaultIsTpmFailAndUndone() throws EngineStateException {
        Tpm12Engine tpm = engine(handlers -> handlers.on("Reset", NoParameters.class, (tx, request) -> {
            tx.set(Flag.DISABLE, true);
            throw new IllegalStateException("provoked by a test");
        }));
        code(tpm, TestTpm.command(TestTpm.COMMAND, "Reset"), ReturnCode.FAIL);
        code(tpm, TestTpm.command(TestTpm.COMMAND, "Reset"), ReturnCode.FAIL);
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetTicks"), ReturnCode.SUCCESS);
        assertThat(seen).isEqualTo("false false false");
    }

    @Test
    void aHandlerThatForgetsToVerifyFails() throws EngineStateException {
        Tpm12Engine tpm =
                engine(handlers -> handlers.on("NV_DefineSpace", Encrypted.class, (tx, request) -> NoParameters.NONE));
        open(tpm);
        code(tpm, authorized(new byte[20]), ReturnCode.FAIL);
    }

    @Test
    void newSecretsAreDecryptedByXorOfTheLastNonces() throws EngineStateException {
        adip = Adip.XOR;
        byte[] plain = Sha1.of(new byte[] {9});
        byte[] encrypted = xor(plain, Sha1.of(SECRET, NONCE_EVEN));
        assertThat(decrypted(encrypted, false)).isEqualTo(plain);
        assertThat(decrypted(xor(plain, Sha1.of(SECRET, NONCE_ODD)), true)).isEqualTo(plain);
    }

    @Test
    void newSecretsAreDecryptedByAesInCounterMode() throws EngineStateException {
        adip = Adip.AES128_CTR;
        byte[] plain = Sha1.of(new byte[] {9});
        assertThat(decrypted(aes(plain, NONCE_EVEN), false)).isEqualTo(plain);
        assertThat(decrypted(aes(plain, NONCE_ODD), true)).isEqualTo(plain);
    }

    @Test
    void aSessionThatDecryptedASecretEnds() throws EngineStateException {
        Tpm12Engine tpm = decrypting(false);
        open(tpm);
        byte[] response = code(tpm, authorized(new byte[20]), ReturnCode.SUCCESS);
        assertThat(response[response.length - 21]).as("continueAuthSession").isZero();
        code(tpm, authorized(new byte[20]), ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void whatAWrappedCommandChangesIsChangedByItsWrapper() throws EngineStateException {
        Tpm12Engine tpm = wrapping(ReturnCode.SUCCESS, ReturnCode.SUCCESS);
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetRandom"), ReturnCode.SUCCESS);
        assertThat(wrappedCode).isEqualTo(ReturnCode.SUCCESS.code());
        assertThat(stored).containsKey(StateKind.PERMANENT);
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetTicks"), ReturnCode.DISABLED);
        assertThat(innerSecret).isEqualTo(SECRET);
    }

    @Test
    void aWrappedCommandThatFailsLeavesItsWrapperNothingButWhatSticks() throws EngineStateException {
        Tpm12Engine tpm = wrapping(ReturnCode.BAD_TYPE, ReturnCode.SUCCESS);
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetRandom"), ReturnCode.SUCCESS);
        assertThat(wrappedCode).isEqualTo(ReturnCode.BAD_TYPE.code());
        assertThat(stored).isEmpty();
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetTicks"), ReturnCode.SUCCESS);
        assertThat(seen).isEqualTo("false false true");
        assertThat(innerSecret).as("a secret that nothing holds any more").isEqualTo(new byte[SECRET.length]);
    }

    @Test
    void aWrapperThatFailsUndoesWhatItWrapped() throws EngineStateException {
        Tpm12Engine tpm = wrapping(ReturnCode.SUCCESS, ReturnCode.BAD_TYPE);
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetRandom"), ReturnCode.BAD_TYPE);
        assertThat(wrappedCode).isEqualTo(ReturnCode.SUCCESS.code());
        assertThat(stored).isEmpty();
        code(tpm, TestTpm.command(TestTpm.COMMAND, "GetTicks"), ReturnCode.SUCCESS);
        assertThat(seen).isEqualTo("false false true");
        assertThat(innerSecret).as("a secret that nothing holds any more").isEqualTo(new byte[SECRET.length]);
    }

    @Test
    void aClosedEngineExecutesNothing() throws EngineStateException {
        Tpm12Engine tpm = engine(handlers -> {});
        tpm.close();
        assertThatNullPointerException().isThrownBy(() -> execute(tpm, new byte[0]));
        tpm.close();
    }

    private String seen = "";
    private int adip;
    private byte[] decrypted = {};
    private byte[] innerSecret = {};
    private int wrappedCode;

    /** GetRandom wraps a Reset that changes everything; each ends as it is told. */
    private Tpm12Engine wrapping(ReturnCode inner, ReturnCode outer) throws EngineStateException {
        TransportSession transport = new TransportSession(
                0x04000001, new byte[20], new TransportPublic(0, 0, 0), new byte[20], new byte[20]);
        return engine(handlers -> {
            handlers.on("Reset", NoParameters.class, (tx, request) -> {
                assertThat(tx.transport()).isSameAs(transport);
                innerSecret = SECRET.clone();
                tx.set(Flag.DISABLE, true);
                tx.set(StClearFlags.Flag.GLOBAL_LOCK, true);
                tx.stClear(tx.stClear()
                        .withSession(
                                new Session(SESSION, Session.OSAP, 0, Entity.OWNER, NONCE_EVEN, innerSecret, null)));
                tx.stick(state ->
                        state.withStClear(state.stClear().withFlag(StClearFlags.Flag.DISABLE_FORCE_CLEAR, true)));
                TpmException.require(inner == ReturnCode.SUCCESS, inner);
                return NoParameters.NONE;
            });
            handlers.on("GetRandom", NoParameters.class, (tx, request) -> {
                byte[] response = tx.execute(transport, TestTpm.command(TestTpm.COMMAND, "Reset"));
                wrappedCode = TestTpm.parse(response).code();
                TpmException.require(outer == ReturnCode.SUCCESS, outer);
                return NoParameters.NONE;
            });
        });
    }

    private byte[] decrypted(byte[] encrypted, boolean second) throws EngineStateException {
        Tpm12Engine tpm = decrypting(second);
        open(tpm);
        code(tpm, authorized(encrypted), ReturnCode.SUCCESS);
        return decrypted;
    }

    private Tpm12Engine decrypting(boolean second) throws EngineStateException {
        return engine(handlers -> handlers.on("NV_DefineSpace", Encrypted.class, (tx, request) -> {
            Authorizations authorizations = tx.authorizations();
            authorizations.requireSharedSecret(0);
            authorizations.verify(0, Entity.OWNER, new byte[20]);
            decrypted = second
                    ? authorizations.decryptSecond(0, request.value())
                    : authorizations.decrypt(0, request.value());
            return NoParameters.NONE;
        }));
    }

    private static byte[] authorized(byte[] encrypted) {
        byte[] goOn = {1};
        byte[] digest =
                Sha1.of(TestTpm.u32(CommandTable.byName("NV_DefineSpace").ordinal()), encrypted);
        return TestTpm.command(
                TestTpm.AUTH1,
                "NV_DefineSpace",
                encrypted,
                TestTpm.u32(SESSION),
                NONCE_ODD,
                goOn,
                Hmac.sha1(SECRET, digest, NONCE_EVEN, NONCE_ODD, goOn));
    }

    private static byte[] xor(byte[] a, byte[] b) {
        byte[] result = a.clone();
        for (int i = 0; i < a.length; i++) {
            result[i] ^= b[i];
        }
        return result;
    }

    private static byte[] aes(byte[] plain, byte[] nonce) {
        return AesCtr.apply(Arrays.copyOf(SECRET, 16), Arrays.copyOf(nonce, 16), plain);
    }

    /** A started TPM with two helpers: GetTicks notes three flags, OIAP opens an OSAP session with known nonces. */
    private Tpm12Engine engine(Chapter chapter) throws EngineStateException {
        Chapter helpers = handlers -> {
            handlers.on("Startup", NoParameters.class, (tx, request) -> {
                tx.volatiles(tx.volatiles().started());
                return NoParameters.NONE;
            });
            handlers.on("GetTicks", NoParameters.class, (tx, request) -> {
                seen = tx.is(Flag.DISABLE) + " " + tx.is(StClearFlags.Flag.GLOBAL_LOCK) + " "
                        + tx.is(StClearFlags.Flag.DISABLE_FORCE_CLEAR);
                return NoParameters.NONE;
            });
            handlers.on("OIAP", NoParameters.class, (tx, request) -> {
                tx.stClear(tx.stClear()
                        .withSession(new Session(
                                SESSION, Session.OSAP, adip, Entity.OWNER, NONCE_EVEN, SECRET.clone(), null)));
                return NoParameters.NONE;
            });
        };
        Tpm12Engine tpm = new Tpm12Engine(
                Handlers.of(List.of(chapter, helpers)),
                new Environment(new SecureRandom(), () -> 0, () -> 0, JavaBigNumberProvider::new),
                Map.of(StateKind.PERMANENT, StateFormat.encodePermanent(PermanentState.factory(null))));
        code(tpm, TestTpm.command(TestTpm.COMMAND, "Startup"), ReturnCode.SUCCESS);
        return tpm;
    }

    private void open(Tpm12Engine tpm) {
        code(tpm, TestTpm.command(TestTpm.COMMAND, "OIAP"), ReturnCode.SUCCESS);
    }

    private byte[] code(Tpm12Engine tpm, byte[] command, ReturnCode expected) {
        byte[] response = execute(tpm, command);
        TestTpm.parse(response).is(expected);
        return response;
    }

    private byte[] execute(Tpm12Engine tpm, byte[] command) {
        return tpm.execute(0, command, changes -> changes.forEach((kind, part) -> stored.put(kind, part.clone())));
    }
}
