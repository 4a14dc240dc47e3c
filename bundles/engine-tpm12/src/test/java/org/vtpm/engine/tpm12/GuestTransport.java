package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.Response;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

/** The guest's side of a transport session: wraps, encrypts and checks, and keeps its own log. */
final class GuestTransport {
    static final int ENCRYPT = 1;
    static final int LOG = 2;
    static final int EXCLUSIVE = 4;
    static final byte[] SECRET = Sha1.of(u8(81));
    static final byte[] ANTI_REPLAY = Sha1.of(u8(82));

    private static final int HEADER = 10;
    private static final int REQUEST_BLOCK = 45;
    private static final int RESPONSE_BLOCK = 41;
    private static final byte[] NONE = new byte[20];

    /** How the session encrypts. */
    enum Scheme {
        PLAIN(0, 0, ""),
        MGF1(7, 1, ""),
        CTR(6, 4, "AES/CTR/NoPadding"),
        OFB(6, 5, "AES/OFB/NoPadding");

        private final int algId;
        private final int encScheme;
        private final String cipher;

        Scheme(int algId, int encScheme, String cipher) {
            this.algId = algId;
            this.encScheme = encScheme;
            this.cipher = cipher;
        }
    }

    private final TestTpm tpm;
    private final Scheme scheme;
    final int handle;
    private byte[] nonceEven;
    private byte[] nonceOdd = Sha1.of(u8(83));
    private final byte[] tickNonce;
    private byte[] log = NONE;
    private byte[] lastTicks = {};

    /** Whether the last response left it open. */
    boolean open = true;
    /** H1 and H2 of the last command. */
    byte[] requestDigest = {};

    byte[] responseDigest = {};
    /** The last wrapped command as it went over the wire. */
    byte[] lastRequest = {};
    /** The last response as it came over the wire. */
    byte[] lastResponse = {};

    private GuestTransport(TestTpm tpm, Scheme scheme, byte[] transPublic, byte[] secret, Response response) {
        byte[] out = response.is(ReturnCode.SUCCESS).parameters();
        assertThat(out).hasSize(60);
        this.tpm = tpm;
        this.scheme = scheme;
        handle = number(out, 0);
        tickNonce = Arrays.copyOfRange(out, 20, 40);
        nonceEven = Arrays.copyOfRange(out, 40, 60);
        byte[] ordinal = ordinal("EstablishTransport");
        byte[] inDigest = Sha1.of(ordinal, transPublic, sized(secret));
        logIn(inDigest, NONE);
        logOut(
                Arrays.copyOfRange(out, 8, 40),
                Sha1.of(u32(0), ordinal, Arrays.copyOfRange(out, 4, out.length)),
                number(out, 4));
    }

    static byte[] transPublic(int attributes, int algId, int encScheme) {
        return concat(u16(0x1E), u32(attributes), u32(algId), u16(encScheme));
    }

    /** Opens a session whose secret the guest sends as it is. */
    static GuestTransport plain(TestTpm tpm, int attributes) {
        byte[] transPublic = transPublic(attributes, 0, 0);
        Response response = tpm.send("EstablishTransport", u32(Handles.TRANSPORT), transPublic, sized(SECRET));
        return new GuestTransport(tpm, Scheme.PLAIN, transPublic, SECRET, response);
    }

    /** Opens a session that is encrypted, with its secret encrypted for a key that needs no authorisation. */
    static GuestTransport encrypted(TestTpm tpm, Scheme scheme, int attributes, int key) {
        return encrypted(tpm, scheme, attributes, key, encryptedSecret(tpm, key));
    }

    /** The same with a secret that is encrypted already. */
    static GuestTransport encrypted(TestTpm tpm, Scheme scheme, int attributes, int key, byte[] secret) {
        byte[] transPublic = transPublic(attributes | ENCRYPT, scheme.algId, scheme.encScheme);
        Response response = tpm.send("EstablishTransport", u32(key), transPublic, sized(secret));
        return new GuestTransport(tpm, scheme, transPublic, secret, response);
    }

    static byte[] encryptedSecret(TestTpm tpm, int key) {
        return GuestKey.encrypt(
                tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS).parameters(), concat(u16(0x1D), SECRET));
    }

    /** Sends a wrapped command, which must arrive; what comes back is the wrapped response. */
    Response send(String name, byte[]... parameters) {
        return wrapped(name, send(TestTpm.command(TestTpm.COMMAND, name, parameters), true, SECRET));
    }

    /** Sends a wrapped command and has the session end with it. */
    Response sendLast(String name, byte[]... parameters) {
        return wrapped(name, send(TestTpm.command(TestTpm.COMMAND, name, parameters), false, SECRET));
    }

    /** Sends a wrapped command that a session authorises, and checks also that authorisation. */
    Response authorized(TestTpm.GuestSession session, String name, byte[]... parameters) {
        Command command = CommandTable.byName(name);
        byte[] all = concat(parameters);
        byte[] digest = Sha1.of(ordinal(name), Arrays.copyOfRange(all, command.inHandleBytes(), all.length));
        byte[] odd = Sha1.of(session.nonceEven);
        byte[] goOn = {1};
        byte[] auth = Hmac.sha1(session.key, digest, session.nonceEven, odd, goOn);
        byte[] request = TestTpm.command(TestTpm.AUTH1, name, all, u32(session.handle), odd, goOn, auth);
        Response response = wrapped(name, send(request, true, SECRET));
        if (response.code() != 0) {
            return response;
        }
        byte[] raw = response.parameters();
        int end = raw.length - RESPONSE_BLOCK;
        byte[] out = Arrays.copyOf(raw, end);
        session.nonceEven = Arrays.copyOfRange(raw, end, end + 20);
        byte[] flag = {raw[end + 20]};
        byte[] outDigest =
                Sha1.of(u32(0), ordinal(name), Arrays.copyOfRange(out, command.outHandleBytes(), out.length));
        assertThat(Arrays.copyOfRange(raw, end + 21, raw.length))
                .isEqualTo(Hmac.sha1(session.key, outDigest, session.nonceEven, odd, flag));
        return new Response(response.tag(), 0, out);
    }

    /** Sends a request that may be none at all: what comes back is the answer of TPM_ExecuteTransport. */
    Response send(byte[] request, boolean goOn, byte[] key) {
        Command command = request.length < HEADER ? null : command(number(request, 6));
        int tag = request.length < HEADER ? 0 : number(request, 0) >>> 16;
        int start = HEADER + (command == null ? 0 : command.inHandleBytes());
        int end = Math.max(start, request.length - blocks(tag - 0xC1) * REQUEST_BLOCK);
        boolean whole = end <= request.length;
        byte[] data = whole ? Arrays.copyOfRange(request, start, end) : NONE;
        requestDigest = whole ? Sha1.of(Arrays.copyOfRange(request, 6, 10), data) : NONE;
        byte[] encrypted = request.clone();
        if (whole) {
            System.arraycopy(crypt("in", data), 0, encrypted, start, data.length);
        }
        lastRequest = encrypted;
        byte[] flag = u8(goOn ? 1 : 0);
        byte[] digest = Sha1.of(ordinal("ExecuteTransport"), u32(request.length), requestDigest);
        byte[] auth = Hmac.sha1(key, digest, nonceEven, nonceOdd, flag);
        lastResponse = tpm.execute(
                0,
                TestTpm.command(
                        TestTpm.AUTH1, "ExecuteTransport", sized(encrypted), u32(handle), nonceOdd, flag, auth));
        return TestTpm.parse(lastResponse);
    }

    /** Takes the wrapped response out of that of TPM_ExecuteTransport, and checks what goes with it. */
    Response wrapped(String name, Response response) {
        byte[] out = response.is(ReturnCode.SUCCESS).parameters();
        assertThat(response.tag()).isEqualTo(0xC5);
        assertThat(number(out, 8)).as("locality").isZero();
        byte[] ticks = concat(u16(0x14), Arrays.copyOf(out, 8), u16(1), tickNonce);
        int block = 16 + number(out, 12);
        assertThat(out).hasSize(block + RESPONSE_BLOCK);
        nonceEven = Arrays.copyOfRange(out, block, block + 20);
        open = out[block + 20] != 0;

        byte[] raw = Arrays.copyOfRange(out, 16, block);
        int returnCode = number(raw, 6);
        int handles = returnCode == 0 ? CommandTable.byName(name).outHandleBytes() : 0;
        int end = raw.length - blocks((number(raw, 0) >>> 16) - 0xC4) * RESPONSE_BLOCK;
        byte[] data = crypt("out", Arrays.copyOfRange(raw, HEADER + handles, end));
        System.arraycopy(data, 0, raw, HEADER + handles, data.length);
        responseDigest = Sha1.of(u32(returnCode), ordinal(name), data);
        byte[] digest = Sha1.of(
                u32(0),
                ordinal("ExecuteTransport"),
                Arrays.copyOf(out, 12),
                Arrays.copyOfRange(out, 12, 16),
                responseDigest);
        assertThat(Arrays.copyOfRange(out, block + 21, out.length))
                .as("authorisation of the response")
                .isEqualTo(Hmac.sha1(SECRET, digest, nonceEven, nonceOdd, u8(open ? 1 : 0)));
        nonceOdd = Sha1.of(nonceOdd);
        lastTicks = ticks;
        return TestTpm.parse(raw);
    }

    /** Notes the last command in the guest's log. */
    void noted(byte[]... publicKeys) {
        byte[] hashes = {};
        for (byte[] key : publicKeys) {
            hashes = concat(hashes, Sha1.of(sized(key)));
        }
        logIn(requestDigest, publicKeys.length == 0 ? NONE : Sha1.of(hashes));
        logOut(lastTicks, responseDigest, 0);
    }

    /** The blocks of TPM_ReleaseTransportSigned that speak for this session. */
    byte[] releasing(byte[] key) {
        byte[] digest = Sha1.of(ordinal("ReleaseTransportSigned"), ANTI_REPLAY);
        byte[] flag = {1};
        return concat(u32(handle), nonceOdd, flag, Hmac.sha1(key, digest, nonceEven, nonceOdd, flag));
    }

    /** Has the session's log signed with a key that needs no authorisation, and gives back what should be signed. */
    byte[] released(Response response) {
        byte[] out = response.is(ReturnCode.SUCCESS).parameters();
        byte[] parameters = Arrays.copyOf(out, out.length - RESPONSE_BLOCK);
        byte[] block = Arrays.copyOfRange(out, parameters.length, out.length);
        byte[] digest = Sha1.of(u32(0), ordinal("ReleaseTransportSigned"), parameters);
        assertThat(block[20]).as("continueAuthSession").isZero();
        assertThat(Arrays.copyOfRange(block, 21, block.length))
                .isEqualTo(Hmac.sha1(SECRET, digest, Arrays.copyOf(block, 20), nonceOdd, u8(0)));
        logOut(Arrays.copyOfRange(out, 4, 36), Sha1.of(ordinal("ReleaseTransportSigned"), ANTI_REPLAY), 0);
        return concat(u16(0x05), "TRAN".getBytes(StandardCharsets.US_ASCII), ANTI_REPLAY, sized(log));
    }

    static byte[] ordinal(String name) {
        return u32(CommandTable.byName(name).ordinal());
    }

    private void logIn(byte[] parameters, byte[] keys) {
        log = Sha1.of(log, u16(0x10), parameters, keys);
    }

    private void logOut(byte[] ticks, byte[] parameters, int locality) {
        log = Sha1.of(log, u16(0x11), ticks, parameters, u32(locality));
    }

    private byte[] crypt(String direction, byte[] data) {
        byte[] label = direction.getBytes(StandardCharsets.US_ASCII);
        return switch (scheme) {
            case PLAIN -> data;
            case MGF1 -> xor(data, mask(data.length, concat(nonceEven, nonceOdd, label, SECRET)));
            case CTR, OFB -> aes(mask(16, concat(nonceEven, nonceOdd, label)), data);
        };
    }

    private byte[] aes(byte[] start, byte[] data) {
        try {
            Cipher cipher = Cipher.getInstance(scheme.cipher);
            cipher.init(
                    Cipher.ENCRYPT_MODE,
                    new SecretKeySpec(Arrays.copyOf(SECRET, 16), "AES"),
                    new IvParameterSpec(start));
            return cipher.doFinal(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] mask(int length, byte[] seed) {
        byte[] mask = {};
        for (int counter = 0; mask.length < length; counter++) {
            mask = concat(mask, Sha1.of(seed, u32(counter)));
        }
        return Arrays.copyOf(mask, length);
    }

    private static byte[] xor(byte[] a, byte[] b) {
        byte[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] ^= b[i];
        }
        return sum;
    }

    private static int blocks(int count) {
        return count >= 0 && count <= 2 ? count : 0;
    }

    private static Command command(int ordinal) {
        return CommandTable.all().stream()
                .filter(command -> command.ordinal() == ordinal)
                .findFirst()
                .orElse(null);
    }
}
