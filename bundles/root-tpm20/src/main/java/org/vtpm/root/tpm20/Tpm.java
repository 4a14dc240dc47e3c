package org.vtpm.root.tpm20;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.P256;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.TpmKdf;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.hosttpm.TpmConnection;

/**
 * One sequence of commands to the host's TPM. Once {@link #trust} started a session that is salted to a key of the TPM, no
 * response to a command that can carry a session counts without its HMAC. Closing flushes all that the sequence left in the
 * TPM, after errors too.
 */
final class Tpm implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Tpm.class);

    private static final int NO_SESSIONS = 0x8001;
    private static final int SESSIONS = 0x8002;
    // TPM_TAG_RSP_COMMAND: so a TPM 1.2 answers to tags that it does not know.
    private static final int FAMILY_1_2 = 0x00C4;
    private static final int HEADER = 10;
    private static final int CAP_HANDLES = 1;
    private static final int HANDLES_AT_ONCE = 64;
    private static final int AES_BITS = 128;

    // TPM_SE
    private static final int HMAC_SESSION = 0x00;
    private static final int POLICY_SESSION = 0x01;

    // 10 + 20 + 40 ... + 5120 ms: about ten seconds in all.
    private static final int ATTEMPTS = 11;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);

    /** A response without errors. */
    record Response(int handle, byte[] parameters) {}

    private final TpmConnection connection;
    private final SecureRandom random;
    private final Deque<Integer> left = new ArrayDeque<>();
    private final List<Session> sessions = new ArrayList<>();
    private @Nullable Session trusted;
    private @Nullable StorageKey salting;

    private Tpm(TpmConnection connection, SecureRandom random) {
        this.connection = connection;
        this.random = random;
    }

    static Tpm open(HostTpm host, SecureRandom random) throws HostTpmException {
        return new Tpm(host.open(), random);
    }

    /**
     * Starts a session salted to a key in the TPM: from here on only who has the private half of this public key can answer.
     *
     * @param key with the public area that it has or should have
     */
    void trust(StorageKey key) throws HostTpmException, RefusedException, RootOfTrustException {
        salting = key;
        trusted = startSalted(HMAC_SESSION, key);
    }

    /** Starts a policy session, salted as {@link #trust} said. */
    Session startPolicy() throws HostTpmException, RefusedException, RootOfTrustException {
        if (salting == null) {
            throw new IllegalStateException("there is no key to salt a session to");
        }
        return startSalted(POLICY_SESSION, salting);
    }

    /** Starts an HMAC session without a salt: it keeps authorization values off the wire, and encrypts nothing. */
    Session startPlain() throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] nonce = nonce();
        byte[] parameters = Structures.encode(new Structures.StartPlainSession(
                nonce, new byte[0], HMAC_SESSION, Structures.ALG_NULL, Structures.ALG_SHA256));
        return start(parameters, Handle.NULL, nonce, new byte[0]);
    }

    /** Executes a command in the session that {@link #trust} started, or without one if there is none. */
    Response call(CommandCode code, byte[] parameters, Handle... handles)
            throws HostTpmException, RefusedException, RootOfTrustException {
        return call(trusted, code, parameters, handles);
    }

    /**
     * Executes a command.
     *
     * @param session authorizes the first handle, or vouches for the response of a command that needs no authorization
     * @throws RefusedException if the TPM answers with an error
     * @throws RootOfTrustException if what came back is not the TPM's response
     */
    Response call(@Nullable Session session, CommandCode code, byte[] parameters, Handle... handles)
            throws HostTpmException, RefusedException, RootOfTrustException {
        if (session == null) {
            return exchange(code, null, command(code, null, parameters, handles));
        }
        byte[] auth = handles.length == 0 ? new byte[0] : handles[0].auth();
        try (Session.Use use = session.use(code, auth)) {
            return exchange(code, use, command(code, use, parameters, handles));
        }
    }

    /** Decodes parameters of a response. */
    static <T extends Record> T decode(CommandCode code, Class<T> type, byte[] parameters) throws RootOfTrustException {
        try {
            return Codec.of(type).decode(parameters);
        } catch (CodecException e) {
            throw noResponse(code, String.valueOf(e.getMessage()));
        }
    }

    /** The handles of one kind that are in use, from the first on. */
    List<Integer> handles(int first, int last) throws HostTpmException, RefusedException, RootOfTrustException {
        List<Integer> found = new ArrayList<>();
        int next = first;
        while (true) {
            Structures.Handles some = decode(
                    CommandCode.GET_CAPABILITY,
                    Structures.Handles.class,
                    call(
                                    CommandCode.GET_CAPABILITY,
                                    Structures.encode(new Structures.GetCapability(CAP_HANDLES, next, HANDLES_AT_ONCE)))
                            .parameters());
            if (some.capability() != CAP_HANDLES) {
                throw noResponse(CommandCode.GET_CAPABILITY, "another capability");
            }
            for (int handle : some.handles()) {
                if (Integer.compareUnsigned(handle, next) < 0) {
                    throw noResponse(CommandCode.GET_CAPABILITY, "handles are out of order");
                }
                if (Integer.compareUnsigned(handle, last) > 0) {
                    return found;
                }
                found.add(handle);
                next = handle + 1;
            }
            if (!some.more() || some.handles().length == 0) {
                return found;
            }
        }
    }

    /** Flushes a transient object or session before the end of the sequence. */
    void flush(int handle) throws HostTpmException, RefusedException, RootOfTrustException {
        left.remove(handle);
        call(null, CommandCode.FLUSH_CONTEXT, Structures.encode(new Structures.OneHandle(handle)));
    }

    @Override
    public void close() {
        try {
            while (!left.isEmpty()) {
                int handle = left.getFirst();
                try {
                    flush(handle);
                } catch (RefusedException | RootOfTrustException e) {
                    LOG.warn("The TPM keeps {}: {}", Integer.toHexString(handle), e.getMessage());
                }
            }
        } catch (HostTpmException e) {
            // The TPM is gone, and what it held with it; or a resource manager flushes when the connection is closed.
            LOG.debug("The TPM cannot be told to flush what was loaded", e);
        } finally {
            sessions.forEach(Session::destroy);
            connection.close();
        }
    }

    static RootOfTrustException noResponse(CommandCode code, String why) {
        return new RootOfTrustException(
                "the answer to " + code + " is not one that a TPM gives (" + why
                        + "): look whether the place is right, and whether something between here and the TPM changes what it says");
    }

    static RootOfTrustException changed(CommandCode code) {
        return new RootOfTrustException(
                "the answer to " + code + " is not that of the TPM that was enrolled:"
                        + " something between here and it changes what it says, or took its place; look at the host's hardware");
    }

    private Session startSalted(int type, StorageKey key)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] nonce = nonce();
        P256.Agreement agreement = agree(key.key());
        P256.Point ephemeral = agreement.ephemeral();
        byte[] salt =
                TpmKdf.e(agreement.secret(), "SECRET", ephemeral.x(), key.key().x(), Session.NONCE_LENGTH);
        try {
            byte[] parameters = Structures.encode(new Structures.StartAuthSession(
                    nonce,
                    Structures.encode(new Structures.EccPoint(ephemeral.x(), ephemeral.y())),
                    type,
                    Structures.ALG_AES,
                    AES_BITS,
                    Structures.ALG_CFB,
                    Structures.ALG_SHA256));
            Session session = start(parameters, key.handle(), nonce, salt);
            prove(session, key);
            return session;
        } finally {
            Secrets.zero(agreement.secret(), salt);
        }
    }

    /**
     * Has the TPM show that the session is the one that was asked for. Its key depends on the private half of the storage key
     * and on both nonces, but not on the encryption: an interposer could have chosen another one for the TPM, and what was
     * decrypted here would be anything. So a public area that is known comes back encrypted.
     */
    private void prove(Session session, StorageKey key)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] parameters = call(session, CommandCode.READ_PUBLIC, new byte[0], key.asHandle())
                .parameters();
        byte[] expected = Structures.encode(new Structures.Buffer(key.publicArea()));
        if (parameters.length < expected.length
                || !Arrays.equals(Arrays.copyOf(parameters, expected.length), expected)) {
            throw changed(CommandCode.START_AUTH_SESSION);
        }
    }

    private Session start(byte[] parameters, int tpmKey, byte[] nonce, byte[] salt)
            throws HostTpmException, RefusedException, RootOfTrustException {
        Response response =
                call(null, CommandCode.START_AUTH_SESSION, parameters, Handle.bare(tpmKey), Handle.bare(Handle.NULL));
        byte[] nonceTpm = decode(CommandCode.START_AUTH_SESSION, Structures.Buffer.class, response.parameters())
                .bytes();
        byte[] key = salt.length == 0 ? salt : TpmKdf.a(salt, "ATH", nonceTpm, nonce, Session.NONCE_LENGTH);
        Session session = new Session(response.handle(), key, nonce, nonceTpm, random);
        sessions.add(session);
        return session;
    }

    private byte[] nonce() {
        byte[] nonce = new byte[Session.NONCE_LENGTH];
        random.nextBytes(nonce);
        return nonce;
    }

    private P256.Agreement agree(Structures.StoragePublic key) throws RootOfTrustException {
        try {
            return P256.agree(new P256.Point(padded(key.x()), padded(key.y())), random);
        } catch (IllegalArgumentException e) {
            throw new RootOfTrustException("the storage key is no key on P-256", e);
        }
    }

    private static byte[] padded(byte[] coordinate) {
        byte[] padded = new byte[P256.LENGTH];
        System.arraycopy(coordinate, 0, padded, padded.length - coordinate.length, coordinate.length);
        return padded;
    }

    private static byte[] command(CommandCode code, Session.@Nullable Use use, byte[] parameters, Handle... handles) {
        byte[] outgoing = use == null ? parameters : use.protect(parameters);
        ByteWriter out = new ByteWriter();
        out.u16(use == null ? NO_SESSIONS : SESSIONS).i32(0).i32(code.code());
        for (Handle handle : handles) {
            out.i32(handle.value());
        }
        if (use != null) {
            int at = out.size();
            out.i32(0);
            use.authorize(out, outgoing, handles);
            out.patch(at, out.size() - at - Integer.BYTES, Integer.BYTES);
        }
        out.bytes(outgoing);
        out.patch(2, out.size(), Integer.BYTES);
        return out.finish();
    }

    /** Sends a command, again and again while the TPM asks for a moment's patience: an error changes no nonce. */
    private Response exchange(CommandCode code, Session.@Nullable Use use, byte[] command)
            throws HostTpmException, RefusedException, RootOfTrustException {
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++) {
            byte[] response = connection.transmit(command);
            int number = ByteBuffer.wrap(response).getInt(2 + Integer.BYTES);
            if (ByteBuffer.wrap(response).getShort() == FAMILY_1_2) {
                throw new RootOfTrustException("what is there is a TPM 1.2, but this root of trust needs a TPM 2.0:"
                        + " configure the root of trust for TPM 1.2");
            }
            ResponseCode error = ResponseCode.of(number);
            if (number == 0) {
                return opened(code, use, response);
            }
            if (error == null || !error.passes() || attempt == ATTEMPTS) {
                throw new RefusedException(code, number);
            }
            sleep(pause);
            pause = pause.multipliedBy(2);
        }
    }

    private Response opened(CommandCode code, Session.@Nullable Use use, byte[] response) throws RootOfTrustException {
        try {
            ByteReader in = new ByteReader(response);
            Structures.Header header = Codec.of(Structures.Header.class).read(in);
            if (header.tag() != (use == null ? NO_SESSIONS : SESSIONS)) {
                throw noResponse(code, "tag 0x" + Integer.toHexString(header.tag()));
            }
            int handle = 0;
            if (code.returnsHandle()) {
                handle = in.i32();
                // Whatever else is wrong with the response, this has to go.
                left.push(handle);
            }
            if (use == null) {
                return new Response(handle, in.bytes(in.remaining()));
            }
            int length = in.i32();
            if (length < 0 || length > response.length - HEADER) {
                throw noResponse(code, "parameters of " + length + " bytes");
            }
            byte[] parameters = in.bytes(length);
            Structures.ResponseAuthorization answer =
                    Codec.of(Structures.ResponseAuthorization.class).read(in);
            in.expectEnd();
            if (!use.accepts(parameters, answer)) {
                throw changed(code);
            }
            return new Response(handle, use.open(parameters));
        } catch (CodecException | IllegalArgumentException e) {
            throw noResponse(code, String.valueOf(e.getMessage()));
        }
    }

    private static void sleep(Duration pause) throws RootOfTrustException {
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RootOfTrustException("the wait for the TPM was interrupted", e);
        }
    }
}
