package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/** A TPM with a host that stores its state in memory and a clock that stands still unless told otherwise. */
public final class TestTpm {
    public static final int COMMAND = 0xC1;
    public static final int AUTH1 = 0xC2;
    private static final int RESPONSE_HEADER = 10;
    private static final int RESPONSE_AUTH = 41;

    public final AtomicLong clock = new AtomicLong(1_000_000_000_000L);
    public final Map<StateKind, byte[]> stored = new EnumMap<>(StateKind.class);
    public boolean storeFails;
    public int stores;

    private final Tpm12EngineFactory factory;
    private Engine engine;

    private TestTpm(PermanentState permanent) {
        factory = new Tpm12EngineFactory(JavaBigNumberProvider::new, SecureRandom::new, clock::get);
        stored.put(StateKind.PERMANENT, StateFormat.encodePermanent(permanent));
        engine = open();
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

    public byte[] execute(int locality, byte[] command) {
        return engine.execute(locality, command, changes -> {
            if (storeFails) {
                throw new IOException("the disk is full");
            }
            stores++;
            changes.forEach((kind, part) -> stored.put(kind, part.clone()));
        });
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

    /** Sends a command without handles, authorised by one session; checks the response's authorisation if it succeeds. */
    public Response authorized(GuestSession session, boolean goOn, String name, byte[]... parameters) {
        return authorized(session, goOn, session.key, name, parameters);
    }

    public Response authorized(GuestSession session, boolean goOn, byte[] key, String name, byte[]... parameters) {
        byte[] ordinal = u32(CommandTable.byName(name).ordinal());
        byte[] all = concat(parameters);
        byte[] nonceOdd = Sha1.of(u32(stores), session.nonceEven);
        byte[] flag = {(byte) (goOn ? 1 : 0)};
        byte[] auth = Hmac.sha1(key, Sha1.of(ordinal, all), session.nonceEven, nonceOdd, flag);
        byte[] raw = execute(0, command(AUTH1, name, all, u32(session.handle), nonceOdd, flag, auth));
        Response response = parse(raw);
        if (response.code() != ReturnCode.SUCCESS.code()) {
            return response;
        }
        int end = raw.length - RESPONSE_AUTH;
        session.nonceEven = Arrays.copyOfRange(raw, end, end + 20);
        byte[] out = Arrays.copyOfRange(raw, RESPONSE_HEADER, end);
        byte[] closed = {raw[end + 20]};
        assertThat(Arrays.copyOfRange(raw, end + 21, raw.length))
                .isEqualTo(Hmac.sha1(key, Sha1.of(u32(0), ordinal, out), session.nonceEven, nonceOdd, closed));
        return new Response(response.tag(), response.code(), out);
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
