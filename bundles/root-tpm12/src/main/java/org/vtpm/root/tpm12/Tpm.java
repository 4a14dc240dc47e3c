package org.vtpm.root.tpm12;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.hosttpm.TpmConnection;
import org.vtpm.tpm12.session.Authorization;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TransportAuth;

/**
 * One sequence of commands to the host's TPM. No response to an authorized command counts unless its authorization is right;
 * and once {@link #trust} opened a transport session to a storage root key, all commands go through that, so that no response
 * counts that was not made by the TPM with that key. Closing flushes what the sequence left in the TPM, after errors too.
 */
final class Tpm implements AutoCloseable {
    /** TPM_TAG_RQU_COMMAND; with n authorization blocks n more. */
    static final int TAG_REQUEST = 0x00C1;

    /** TPM_TAG_RSP_COMMAND; with n authorization blocks n more. */
    static final int TAG_RESPONSE = 0x00C4;

    private static final Logger LOG = LoggerFactory.getLogger(Tpm.class);

    // TPM_ST_NO_SESSIONS, or TPM_RC_BAD_TAG as the code: so a TPM 2.0 answers to tags that it does not know.
    private static final short FAMILY_2_0 = (short) 0x8001;
    private static final int HEADER = 10;
    private static final int RETURN_CODE_AT = 6;

    // 10 + 20 + 40 ... + 5120 ms: about ten seconds in all; a TPM may let counters rest for five.
    private static final int ATTEMPTS = 11;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);

    private final TpmConnection connection;
    private final byte[] srkSecret;
    private final SecureRandom random;
    private final Map<Integer, Integer> left = new LinkedHashMap<>();
    private final List<Session> sessions = new ArrayList<>();
    private @Nullable Transport transport;

    private Tpm(TpmConnection connection, byte[] srkSecret, SecureRandom random) {
        this.connection = connection;
        this.srkSecret = srkSecret;
        this.random = random;
    }

    /** @param srkSecret of the storage root key; not copied */
    static Tpm open(HostTpm host, byte[] srkSecret, SecureRandom random) throws HostTpmException {
        return new Tpm(host.open(), srkSecret, random);
    }

    /** Bytes that nobody can guess. */
    byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** The secret of the storage root key; not a copy. */
    byte[] srkSecret() {
        return srkSecret;
    }

    /** Opens a session that authorizes one command for whatever has this secret. */
    Session oiap(byte[] secret) throws HostTpmException, RefusedException, RootOfTrustException {
        Structures.Oiap opened = bare(Command.OIAP, new Structures.Nothing(), Structures.Oiap.class, ResourceType.AUTH);
        return session(opened.authHandle(), secret.clone(), opened.nonceEven(), false);
    }

    /**
     * Opens a session that authorizes one command for one entity, and can encrypt a new secret for it.
     *
     * @param secret of the entity
     */
    Session osap(int entityType, int entityValue, byte[] secret)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] nonceOdd = random(Sha1.LENGTH);
        Structures.Osap opened = bare(
                Command.OSAP,
                new Structures.OsapRequest(entityType, entityValue, nonceOdd),
                Structures.Osap.class,
                ResourceType.AUTH);
        byte[] shared = Authorization.sharedSecret(secret, opened.nonceEvenOsap(), nonceOdd);
        return session(opened.authHandle(), shared, opened.nonceEven(), false);
    }

    /**
     * Opens the transport session: from here on only who has the private half of this public key can answer.
     *
     * @param srk the storage root key that the TPM has or should have
     */
    void trust(StorageRootKey srk) throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] authData = random(Sha1.LENGTH);
        byte[] encoded = Structures.encode(new TransportAuth(authData));
        try {
            byte[] secret = Oaep.encrypt(srk.modulus(), encoded);
            Structures.EstablishedTransport opened = call(
                    Structures.EstablishedTransport.class,
                    Command.ESTABLISH_TRANSPORT,
                    new Structures.EstablishTransport(Handles.SRK, Transport.PUBLIC, secret),
                    oiap(srkSecret));
            transport = new Transport(session(opened.transHandle(), authData, opened.transNonceEven(), true));
        } finally {
            Secrets.zero(encoded);
        }
    }

    /**
     * Executes a command.
     *
     * @param <T> what its response has, handles included
     * @param parameters with the handles before them
     * @param authorizations sessions that end with this command
     * @throws RefusedException if the TPM answers with an error
     * @throws RootOfTrustException if what came back is not the TPM's response
     */
    <T extends Record> T call(Class<T> response, Command command, Record parameters, Session... authorizations)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] request = request(command, parameters, authorizations);
        byte[] answer = {};
        try {
            answer = exchange(command, request, authorizations.length);
            return opened(response, command, answer, authorizations);
        } finally {
            Secrets.zero(request, answer);
        }
    }

    @Override
    public void close() {
        try {
            transport = null;
            for (Map.Entry<Integer, Integer> each : left.entrySet()) {
                flush(each.getKey(), each.getValue());
            }
        } catch (HostTpmException e) {
            // The TPM is gone, and what it held with it.
            LOG.debug("The TPM cannot be told to flush what was opened", e);
        } finally {
            sessions.forEach(Session::destroy);
            connection.close();
        }
    }

    static RootOfTrustException noResponse(Command command, String why) {
        return new RootOfTrustException(
                "the answer to " + command + " is not one that a TPM gives (" + why
                        + "): look whether the place is right, and whether something between here and the TPM changes what it says");
    }

    static RootOfTrustException changed(Command command) {
        return new RootOfTrustException(
                "the answer to " + command + " is not that of the TPM that was enrolled:"
                        + " something between here and it changes what it says, or took its place; look at the host's hardware");
    }

    private Session session(int handle, byte[] key, byte[] nonceEven, boolean lasting) {
        Session session = new Session(handle, key, nonceEven, lasting, random);
        sessions.add(session);
        return session;
    }

    /** What ended with an error is gone already, and the TPM does not know it any more. */
    private void flush(int handle, int type) throws HostTpmException {
        try {
            byte[] request = request(Command.FLUSH_SPECIFIC, new Structures.FlushSpecific(handle, type));
            exchange(Command.FLUSH_SPECIFIC, request, 0);
        } catch (RefusedException | RootOfTrustException e) {
            LOG.debug("The TPM does not flush {}: {}", Integer.toHexString(handle), e.getMessage());
        }
    }

    /** Opens a session: outside of the transport session, since a changed response makes one that authorizes nothing. */
    private <T extends Record> T bare(Command command, Record parameters, Class<T> response, int type)
            throws HostTpmException, RefusedException, RootOfTrustException {
        Transport outer = transport;
        transport = null;
        try {
            byte[] answer = exchange(command, request(command, parameters), 0);
            if (answer.length >= HEADER + Integer.BYTES) {
                // Whatever else is wrong with the response, this has to go.
                left.put(ByteBuffer.wrap(answer).getInt(HEADER), type);
            }
            return opened(response, command, answer);
        } finally {
            transport = outer;
        }
    }

    private static byte[] request(Command command, Record parameters, Session... authorizations) {
        byte[] encoded = Structures.encode(parameters);
        byte[] digest = Authorization.requestDigest(command.code(), encoded, command.inHandleBytes(), encoded.length);
        ByteWriter out = new ByteWriter()
                .u16(TAG_REQUEST + authorizations.length)
                .i32(HEADER + encoded.length + authorizations.length * Session.REQUEST_BLOCK)
                .i32(command.code())
                .bytes(encoded);
        for (Session each : authorizations) {
            each.turn();
            out.bytes(each.authorize(digest));
        }
        Secrets.zero(encoded);
        return out.finish();
    }

    /** Sends a command, again and again while the TPM asks for a moment's patience: these errors change no nonce. */
    private byte[] exchange(Command command, byte[] request, int blocks)
            throws HostTpmException, RefusedException, RootOfTrustException {
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++) {
            int code;
            try {
                byte[] response = transport == null
                        ? connection.transmit(request)
                        : transport.execute(connection, command, request, blocks);
                code = ByteBuffer.wrap(response).getInt(RETURN_CODE_AT);
                if (code == 0) {
                    return response;
                }
                if (ByteBuffer.wrap(response).getShort() == FAMILY_2_0 || code == ReturnCode.BADTAG.code()) {
                    throw new RootOfTrustException("what is there is a TPM 2.0, but this root of trust needs a TPM 1.2:"
                            + " configure the root of trust for TPM 2.0");
                }
            } catch (RefusedException e) {
                if (!e.passes() || attempt == ATTEMPTS) {
                    throw e;
                }
                code = e.number();
            }
            RefusedException refused = new RefusedException(command, code);
            if (!refused.passes() || attempt == ATTEMPTS) {
                throw refused;
            }
            if (refused.is(ReturnCode.NEEDS_SELFTEST)) {
                connection.transmit(request(Command.CONTINUE_SELF_TEST, new Structures.Nothing()));
            }
            sleep(pause);
            pause = pause.multipliedBy(2);
        }
    }

    private <T extends Record> T opened(Class<T> type, Command command, byte[] response, Session... authorizations)
            throws RootOfTrustException {
        int tag = ByteBuffer.wrap(response).getShort() & 0xFFFF;
        int from = HEADER + command.outHandleBytes();
        int to = response.length - authorizations.length * Session.RESPONSE_BLOCK;
        if (tag != TAG_RESPONSE + authorizations.length || to < from) {
            throw noResponse(command, "tag 0x" + Integer.toHexString(tag) + ", " + response.length + " bytes");
        }
        if (command == Command.ESTABLISH_TRANSPORT) {
            left.put(ByteBuffer.wrap(response).getInt(HEADER), ResourceType.TRANSPORT);
        }
        byte[] digest = Authorization.responseDigest(command.code(), response, from, to);
        for (int i = 0; i < authorizations.length; i++) {
            int at = to + i * Session.RESPONSE_BLOCK;
            if (!authorizations[i].accepts(digest, Arrays.copyOfRange(response, at, at + Session.RESPONSE_BLOCK))) {
                throw changed(command);
            }
            left.remove(authorizations[i].handle());
        }
        byte[] parameters = Arrays.copyOfRange(response, HEADER, to);
        try {
            return Codec.of(type).decode(parameters);
        } catch (CodecException | TpmException e) {
            throw noResponse(command, String.valueOf(e.getMessage()));
        } finally {
            Secrets.zero(parameters);
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
