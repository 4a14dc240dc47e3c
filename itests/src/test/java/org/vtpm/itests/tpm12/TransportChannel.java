package org.vtpm.itests.tpm12;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.xor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A transport session as a way to a TPM: what is sent goes wrapped and, if the session says so, encrypted; and what comes
 * back is the wrapped response (TPM Main Part 3, section 24). It keeps the log that the TPM should keep. When the
 * transport itself is refused, that answer comes back.
 */
public final class TransportChannel implements TpmChannel {
    /** Bits of transAttributes (TPM Main Part 2, section 13.1). */
    public static final int ENCRYPT = 1;

    public static final int LOG = 2;
    public static final int EXCLUSIVE = 4;

    private static final int HEADER = 10;
    private static final int REQUEST_BLOCK = 45;
    private static final int RESPONSE_BLOCK = 41;
    private static final int RESPONSE_HEAD = 16;
    private static final byte[] NO_KEYS = Wire.zeros();

    /** How a session encrypts. */
    public enum Scheme {
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

    /**
     * What a session is opened with.
     *
     * @param attributes without {@link #ENCRYPT}, which follows from the scheme
     */
    public record Kind(Scheme scheme, int attributes) {
        /** TPM_TRANSPORT_PUBLIC. */
        public byte[] transPublic() {
            int all = attributes | (scheme == Scheme.PLAIN ? 0 : ENCRYPT);
            return concat(u16(0x1E), u32(all), u32(scheme.algId), u16(scheme.encScheme));
        }

        public boolean logs() {
            return (attributes & LOG) != 0;
        }

        @Override
        public String toString() {
            return scheme + ", attributes " + attributes;
        }
    }

    /** What a TPM tells of the transport besides the wrapped response. */
    public record Outer(int tag, int code, int locality, boolean open, boolean authentic) {}

    private final TpmChannel channel;
    private final RandomGenerator random;
    private final Scheme scheme;
    private final byte[] secret;
    private final Session session;
    private final byte[] tickNonce;
    private final IntFunction<Optional<byte[]>> moduli;
    private final Consumer<Outer> outers;
    private byte[] log = Wire.zeros();
    private boolean logKnown = true;

    /**
     * @param established the TPM's answer to EstablishTransport
     * @param secret the session's, in the open
     * @param sent the same as it was sent
     * @param moduli the public key of a handle, if it is known
     * @param outers is told of each command's transport
     */
    public TransportChannel(
            TpmChannel channel,
            RandomGenerator random,
            Kind kind,
            Response established,
            byte[] secret,
            byte[] sent,
            IntFunction<Optional<byte[]>> moduli,
            Consumer<Outer> outers) {
        this.channel = channel;
        this.random = random;
        this.scheme = kind.scheme();
        this.secret = secret;
        this.session = Tpm12Client.transportSession(established);
        this.moduli = moduli;
        this.outers = outers;
        byte[] body = established.body();
        byte[] ordinal = u32(Ordinal.ESTABLISH_TRANSPORT.code());
        tickNonce = Arrays.copyOfRange(body, 20, 40);
        logIn(sha1(ordinal, kind.transPublic(), sized(sent)), NO_KEYS);
        logOut(
                Arrays.copyOfRange(body, 8, 40),
                sha1(u32(0), ordinal, Arrays.copyOfRange(body, 4, body.length)),
                ByteBuffer.wrap(body).getInt(4));
    }

    public Session session() {
        return session;
    }

    @Override
    public byte[] transmit(byte[] command) throws IOException {
        Optional<Ordinal> ordinal = command.length < HEADER
                ? Optional.empty()
                : Ordinal.of(ByteBuffer.wrap(command).getInt(6));
        int start = Math.min(
                command.length, HEADER + ordinal.map(Ordinal::inHandleBytes).orElse(0));
        int end = Math.max(start, command.length - blocks(command, Tpm12Client.TAG_RQU_COMMAND) * REQUEST_BLOCK);
        byte[] clear = Arrays.copyOfRange(command, start, end);
        byte[] code = u32(ordinal.map(Ordinal::code).orElse(0));
        byte[] nonceOdd = new byte[20];
        random.nextBytes(nonceOdd);
        byte[] encrypted = command.clone();
        System.arraycopy(crypt("in", nonceOdd, clear), 0, encrypted, start, clear.length);

        byte[] h1 = sha1(code, clear);
        byte[] keys = ordinal.map(one -> keysIn(one, command)).orElse(NO_KEYS);
        byte[] execute = u32(Ordinal.EXECUTE_TRANSPORT.code());
        byte[] block = session.authorize(secret, sha1(execute, u32(command.length), h1), nonceOdd, true);
        byte[] raw = channel.transmit(Tpm12Client.frame(
                Tpm12Client.TAG_RQU_COMMAND + 1, Ordinal.EXECUTE_TRANSPORT.code(), concat(sized(encrypted), block)));
        ByteBuffer answer = ByteBuffer.wrap(raw);
        if (answer.getInt(6) != 0) {
            outers.accept(new Outer(answer.getShort(0) & 0xFFFF, answer.getInt(6), 0, false, true));
            return raw;
        }
        byte[] head = Arrays.copyOfRange(raw, HEADER, HEADER + RESPONSE_HEAD);
        byte[] response = Arrays.copyOfRange(raw, HEADER + RESPONSE_HEAD, raw.length - RESPONSE_BLOCK);
        byte[] outer = Arrays.copyOfRange(raw, raw.length - RESPONSE_BLOCK, raw.length);

        int returnCode = ByteBuffer.wrap(response).getInt(6);
        int first =
                HEADER + (returnCode == 0 ? ordinal.map(Ordinal::outHandleBytes).orElse(0) : 0);
        int last = Math.max(first, response.length - blocks(response, Tpm12Client.TAG_RSP_COMMAND) * RESPONSE_BLOCK);
        byte[] hidden = Arrays.copyOfRange(response, first, last);
        // The response is encrypted with the nonce that comes with it.
        session.verify(secret, NO_KEYS, outer);
        byte[] shown = crypt("out", nonceOdd, hidden);
        byte[] h2 = sha1(u32(returnCode), code, shown);
        boolean authentic = session.verify(secret, sha1(u32(0), execute, head, h2), outer);
        System.arraycopy(shown, 0, response, first, shown.length);

        int locality = ByteBuffer.wrap(head).getInt(8);
        logIn(h1, keys);
        logOut(concat(u16(0x14), Arrays.copyOf(head, 8), u16(1), tickNonce), h2, locality);
        outers.accept(new Outer(answer.getShort(0) & 0xFFFF, 0, locality, outer[20] != 0, authentic));
        return response;
    }

    /** Whether every key is known whose name the TPM had to log. */
    public boolean logKnown() {
        return logKnown;
    }

    /**
     * What the TPM signs when the session is released.
     *
     * @param released the body of its answer
     */
    public byte[] signedLog(byte[] antiReplay, byte[] released) {
        logOut(
                Arrays.copyOfRange(released, 4, 36),
                sha1(u32(Ordinal.RELEASE_TRANSPORT_SIGNED.code()), antiReplay),
                ByteBuffer.wrap(released).getInt(0));
        return concat(u16(5), "TRAN".getBytes(StandardCharsets.US_ASCII), antiReplay, sized(log));
    }

    private byte[] keysIn(Ordinal ordinal, byte[] command) {
        int resourceType =
                command.length < HEADER + 8 ? 0 : ByteBuffer.wrap(command).getInt(HEADER + 4);
        int count = ordinal.keyHandles(resourceType);
        byte[] hashes = {};
        for (int i = 0; i < count; i++) {
            int at = HEADER + 4 * i;
            Optional<byte[]> modulus = command.length < at + 4
                    ? Optional.empty()
                    : moduli.apply(ByteBuffer.wrap(command).getInt(at));
            logKnown &= modulus.isPresent();
            hashes = concat(hashes, sha1(sized(modulus.orElse(NO_KEYS))));
        }
        return count == 0 ? NO_KEYS : sha1(hashes);
    }

    private void logIn(byte[] parameters, byte[] keys) {
        log = sha1(log, u16(0x10), parameters, keys);
    }

    private void logOut(byte[] ticks, byte[] parameters, int locality) {
        log = sha1(log, u16(0x11), ticks, parameters, u32(locality));
    }

    private static int blocks(byte[] message, int none) {
        int count = message.length < HEADER ? 0 : (ByteBuffer.wrap(message).getShort(0) & 0xFFFF) - none;
        return count >= 0 && count <= 2 ? count : 0;
    }

    private byte[] crypt(String direction, byte[] nonceOdd, byte[] data) {
        byte[] label = direction.getBytes(StandardCharsets.US_ASCII);
        return switch (scheme) {
            case PLAIN -> data;
            case MGF1 -> xor(data, mask(data.length, concat(session.nonceEven(), nonceOdd, label, secret)));
            case CTR, OFB -> aes(mask(16, concat(session.nonceEven(), nonceOdd, label)), data);
        };
    }

    private byte[] aes(byte[] start, byte[] data) {
        try {
            Cipher aes = Cipher.getInstance(scheme.cipher);
            aes.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(secret, 0, 16, "AES"), new IvParameterSpec(start));
            return aes.doFinal(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] mask(int length, byte[] seed) {
        byte[] mask = {};
        for (int counter = 0; mask.length < length; counter++) {
            mask = concat(mask, sha1(seed, u32(counter)));
        }
        return Arrays.copyOf(mask, length);
    }

    /** Leaves the session and the channel below it open. */
    @Override
    public void close() {}
}
