package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.tpm12.structure.ReturnCode;

/** A TPM with a host that stores its state in memory and a clock that stands still unless told otherwise. */
public final class TestTpm {
    public static final int COMMAND = 0xC1;
    public static final int AUTH1 = 0xC2;
    private static final int RESPONSE_HEADER = 10;
    private static final int RESPONSE_AUTH = 41;

    public final AtomicLong clock = new AtomicLong(1_000_000_000_000L);
    public final Map<StateKind, byte[]> stored = new EnumMap<>(StateKind.class);
    /** The calendar, in milliseconds. */
    public final AtomicLong wall = new AtomicLong(1_000_000_000L);

    /** Happens before each command. */
    public Runnable between = () -> {};

    /** Sees each response. */
    public Consumer<byte[]> answers = response -> {};

    public boolean storeFails;
    public int stores;

    private final Tpm12EngineFactory factory;
    private Engine engine;

    private TestTpm(byte[] permanent, Supplier<SecureRandom> randoms) {
        factory = new Tpm12EngineFactory(JavaBigNumberProvider::new, randoms, clock::get, wall::get);
        stored.put(StateKind.PERMANENT, permanent.clone());
        engine = open();
    }

    private TestTpm(PermanentState permanent) {
        this(StateFormat.encodePermanent(permanent), SecureRandom::new);
    }

    /** A TPM with this permanent state, whose random numbers all come from one generator; powered on. */
    public static TestTpm poweredOn(byte[] permanent, SecureRandom random) {
        return new TestTpm(permanent, () -> random);
    }

    /** As it leaves the factory, powered on. */
    public static TestTpm poweredOn() {
        return new TestTpm(PermanentState.factory(null));
    }

    /** As it leaves the factory, after TPM_Startup(ST_CLEAR). */
    public static TestTpm started() {
        return started(PermanentState.factory(null));
    }

    /** A TPM with this permanent state, after TPM_Startup(ST_CLEAR). */
    public static TestTpm started(PermanentState permanent) {
        TestTpm tpm = new TestTpm(permanent);
        tpm.startup(StartupMode.CLEAR);
        return tpm;
    }

    /** An authorisation session, as the guest's side knows it. */
    public static final class GuestSession {
        public final int handle;
        public final byte[] key;
        byte[] nonceEven;
        /** Whether the last response left it open. */
        public boolean open = true;

        GuestSession(int handle, byte[] nonceEven, byte[] key) {
            this.handle = handle;
            this.nonceEven = nonceEven;
            this.key = key;
        }
    }

    /** What came back. */
    public record Response(int tag, int code, byte[] parameters) {
        public Response is(ReturnCode expected) {
            assertThat(code).as("return code, expected %s", expected).isEqualTo(expected.code());
            return this;
        }

        public String hex() {
            return HexFormat.of().formatHex(parameters);
        }
    }

    public void startup(StartupMode mode) {
        parse(execute(0, factory.startupCommand(mode))).is(ReturnCode.SUCCESS);
    }

    public byte[] startupCommand(StartupMode mode) {
        return factory.startupCommand(mode);
    }

    /** Cuts the power and switches it on again. */
    public void powerCycle() {
        engine.close();
        engine = open();
    }

    /** What would be needed to go on later. */
    public byte[] snapshot() {
        return engine.snapshot();
    }

    /** Ends the engine without a word and goes on with another. */
    public void resume(byte[] snapshot) {
        engine.close();
        stored.put(StateKind.VOLATILE, snapshot);
        engine = open();
        stored.remove(StateKind.VOLATILE);
    }

    /** Opens a second engine with any state. */
    public void tryToOpen(Map<StateKind, byte[]> state) throws EngineStateException {
        factory.open(state).close();
    }

    public byte[] execute(int locality, byte[] command) {
        between.run();
        boolean brief = engine.isBrief(command);
        int before = stores;
        byte[] response = engine.execute(locality, command, this::store);
        assertThat(brief && stores != before)
                .as("a command that was to be brief has stored something")
                .isFalse();
        Exercised.count(command, response);
        answers.accept(response);
        return response;
    }

    /** Whether an unauthorised command would be carried out in a moment. */
    public boolean isBrief(String name, byte[]... parameters) {
        return engine.isBrief(command(COMMAND, name, parameters));
    }

    /** Gives a signal of a dynamic launch; its return code. */
    public int launch(LaunchSignal signal, byte[] data) {
        return engine.dynamicLaunch(signal, data, this::store);
    }

    private void store(Map<StateKind, byte[]> changes) throws IOException {
        if (storeFails) {
            throw new IOException("the disk is full");
        }
        stores++;
        changes.forEach((kind, part) -> stored.put(kind, part.clone()));
    }

    /** Sends an unauthorised command. */
    public Response send(String name, byte[]... parameters) {
        return send(0, COMMAND, name, parameters);
    }

    public Response send(int locality, int tag, String name, byte[]... parameters) {
        return parse(execute(locality, command(tag, name, parameters)));
    }

    public static byte[] command(int tag, String name, byte[]... parameters) {
        ByteWriter out =
                new ByteWriter().u16(tag).i32(0).i32(CommandTable.byName(name).ordinal());
        for (byte[] part : parameters) {
            out.bytes(part);
        }
        out.patch(2, out.size(), 4);
        return out.finish();
    }

    /** Sends a command that one session authorises; checks the response's authorisation if it succeeds. */
    public Response authorized(GuestSession session, boolean goOn, String name, byte[]... parameters) {
        return authorized(session, goOn, session.key, name, parameters);
    }

    public Response authorized(GuestSession session, boolean goOn, byte[] key, String name, byte[]... parameters) {
        return authorized(List.of(new Block(session, goOn, key)), name, parameters);
    }

    /** Sends a command that two sessions authorise, and ends both. */
    public Response authorized(GuestSession first, GuestSession second, String name, byte[]... parameters) {
        return authorized(
                List.of(new Block(first, false, first.key), new Block(second, false, second.key)), name, parameters);
    }

    /** An authorisation block to be made. */
    private record Block(GuestSession session, boolean goOn, byte[] key) {
        private byte[] flag() {
            return new byte[] {(byte) (goOn ? 1 : 0)};
        }
    }

    private Response authorized(List<Block> blocks, String name, byte[]... parameters) {
        Command command = CommandTable.byName(name);
        byte[] ordinal = u32(command.ordinal());
        byte[] all = concat(parameters);
        byte[] inDigest = Sha1.of(ordinal, Arrays.copyOfRange(all, command.inHandleBytes(), all.length));
        List<byte[]> nonces = new ArrayList<>();
        ByteWriter auths = new ByteWriter();
        for (Block block : blocks) {
            byte[] nonceOdd = nonceOdd(block.session());
            nonces.add(nonceOdd);
            auths.i32(block.session().handle).bytes(nonceOdd).bytes(block.flag());
            auths.bytes(Hmac.sha1(block.key(), inDigest, block.session().nonceEven, nonceOdd, block.flag()));
        }
        byte[] raw = execute(0, command(COMMAND + blocks.size(), name, all, auths.finish()));
        Response response = parse(raw);
        if (response.code() != ReturnCode.SUCCESS.code()) {
            return response;
        }
        int end = raw.length - blocks.size() * RESPONSE_AUTH;
        byte[] out = Arrays.copyOfRange(raw, RESPONSE_HEADER, end);
        byte[] outDigest = Sha1.of(u32(0), ordinal, Arrays.copyOfRange(out, command.outHandleBytes(), out.length));
        for (int i = 0; i < blocks.size(); i++) {
            int start = end + i * RESPONSE_AUTH;
            GuestSession session = blocks.get(i).session();
            session.nonceEven = Arrays.copyOfRange(raw, start, start + 20);
            session.open = raw[start + 20] != 0;
            byte[] flag = {raw[start + 20]};
            assertThat(Arrays.copyOfRange(raw, start + 21, start + RESPONSE_AUTH))
                    .isEqualTo(Hmac.sha1(blocks.get(i).key(), outDigest, session.nonceEven, nonces.get(i), flag));
        }
        return new Response(response.tag(), response.code(), out);
    }

    /** The nonce that the next command in this session comes with. */
    public byte[] nonceOdd(GuestSession session) {
        return Sha1.of(u32(stores), session.nonceEven);
    }

    /** Encrypts a new secret for a command's first parameter of that kind. */
    public byte[] encrypted(GuestSession session, byte[] secret) {
        return xor(secret, Sha1.of(session.key, session.nonceEven));
    }

    /** Encrypts the second new secret of a command. */
    public byte[] encryptedSecond(GuestSession session, byte[] secret) {
        return xor(secret, Sha1.of(session.key, nonceOdd(session)));
    }

    private static byte[] xor(byte[] a, byte[] b) {
        byte[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] ^= b[i];
        }
        return sum;
    }

    public GuestSession oiap(byte[] secret) {
        byte[] out = send("OIAP").is(ReturnCode.SUCCESS).parameters();
        return new GuestSession(number(out, 0), Arrays.copyOfRange(out, 4, 24), secret);
    }

    public GuestSession osap(int entityType, int entityValue, byte[] secret) {
        byte[] nonceOdd = Sha1.of(u32(stores));
        byte[] out = send("OSAP", u16(entityType), u32(entityValue), nonceOdd)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] shared = Hmac.sha1(secret, Arrays.copyOfRange(out, 24, 44), nonceOdd);
        return new GuestSession(number(out, 0), Arrays.copyOfRange(out, 4, 24), shared);
    }

    /** Opens a session of a delegation. */
    public GuestSession dsap(int entityType, int keyHandle, byte[] entityValue, byte[] secret) {
        byte[] nonceOdd = Sha1.of(u32(stores));
        byte[] out = send("DSAP", u16(entityType), u32(keyHandle), nonceOdd, sized(entityValue))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] shared = Hmac.sha1(secret, Arrays.copyOfRange(out, 24, 44), nonceOdd);
        return new GuestSession(number(out, 0), Arrays.copyOfRange(out, 4, 24), shared);
    }

    /** Asserts physical presence, as firmware does. */
    public void presence() {
        send("TSC_PhysicalPresence", u16(0x20)).is(ReturnCode.SUCCESS);
        send("TSC_PhysicalPresence", u16(0x08)).is(ReturnCode.SUCCESS);
    }

    public static Response parse(byte[] raw) {
        assertThat(number(raw, 2)).as("size in the header").isEqualTo(raw.length);
        return new Response(
                number(raw, 0) >>> 16, number(raw, 6), Arrays.copyOfRange(raw, RESPONSE_HEADER, raw.length));
    }

    public static byte[] u8(int value) {
        return new ByteWriter().u8(value).finish();
    }

    public static byte[] u16(int value) {
        return new ByteWriter().u16(value).finish();
    }

    public static byte[] u32(int value) {
        return new ByteWriter().i32(value).finish();
    }

    public static byte[] sized(byte[] value) {
        return concat(u32(value.length), value);
    }

    public static byte[] concat(byte[]... parts) {
        ByteWriter out = new ByteWriter();
        for (byte[] part : parts) {
            out.bytes(part);
        }
        return out.finish();
    }

    public static int number(byte[] bytes, int offset) {
        return new java.math.BigInteger(Arrays.copyOfRange(bytes, offset, offset + 4)).intValue();
    }

    private Engine open() {
        try {
            return factory.open(stored);
        } catch (EngineStateException e) {
            throw new IllegalStateException(e);
        }
    }
}
