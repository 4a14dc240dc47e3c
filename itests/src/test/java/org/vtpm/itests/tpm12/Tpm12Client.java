package org.vtpm.itests.tpm12;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Speaks to one TPM: builds commands, authorizes them and checks what authorizes the answers. */
public final class Tpm12Client implements AutoCloseable {
    public static final int TAG_RQU_COMMAND = 0xC1;
    public static final int TAG_RSP_COMMAND = 0xC4;
    private static final int HEADER = 10;
    private static final int AUTH_BLOCK = 41;
    /** The byte of an entity type that names the scheme by which the session encrypts. */
    private static final int ADIP = 0xFF00;

    private static final byte[] NONE = {};

    private final TpmChannel channel;
    private final RandomGenerator random;

    /** @param random makes the nonces; with a seeded one the same calls send the same commands */
    public Tpm12Client(TpmChannel channel, RandomGenerator random) {
        this.channel = channel;
        this.random = random;
    }

    /** A whole command with a right size field. */
    public static byte[] frame(int tag, int ordinal, byte[] body) {
        return concat(u16(tag), u32(HEADER + body.length), u32(ordinal), body);
    }

    /** Sends a command that has no handles. */
    public Response execute(Ordinal ordinal, byte[] parameters, Auth... auths) throws IOException {
        return execute(ordinal, NONE, parameters, auths);
    }

    /**
     * Sends a command.
     *
     * @param handles key handles, which no digest covers
     * @param parameters everything between the handles and the authorization blocks
     */
    public Response execute(Ordinal ordinal, byte[] handles, byte[] parameters, Auth... auths) throws IOException {
        byte[] digest = ordinal == Ordinal.EXECUTE_TRANSPORT
                ? WrappedCommand.requestDigest(parameters)
                : sha1(u32(ordinal.code()), parameters);
        byte[] body = concat(handles, parameters);
        for (Auth auth : auths) {
            byte[] block = auth.session().authorize(auth.secret(), digest, nonce(), auth.continued());
            if (auth.spoiled()) {
                block[block.length - 1] ^= 1;
            }
            body = concat(body, block);
        }
        return response(ordinal, transmit(frame(TAG_RQU_COMMAND + auths.length, ordinal.code(), body)), List.of(auths));
    }

    /** Sends bytes as they are. */
    public Response transmit(byte[] command) throws IOException {
        byte[] raw = channel.transmit(command);
        return new Response(command, raw, Arrays.copyOfRange(raw, HEADER, raw.length), true);
    }

    private static Response response(Ordinal ordinal, Response plain, List<Auth> auths) {
        byte[] raw = plain.raw();
        int blocks = plain.tag() - TAG_RSP_COMMAND;
        int end = raw.length - AUTH_BLOCK * blocks;
        if (blocks <= 0 || blocks > auths.size() || end < HEADER) {
            return plain;
        }
        byte[] body = Arrays.copyOfRange(raw, HEADER, end);
        byte[] digest = ordinal == Ordinal.EXECUTE_TRANSPORT
                ? WrappedCommand.responseDigest(plain.request(), body)
                : sha1(u32(plain.code()), u32(ordinal.code()), withoutHandle(ordinal, body));
        boolean authentic = true;
        for (int i = 0; i < blocks; i++) {
            int at = end + AUTH_BLOCK * i;
            Auth auth = auths.get(i);
            authentic &= auth.session().verify(auth.secret(), digest, Arrays.copyOfRange(raw, at, at + AUTH_BLOCK));
        }
        return new Response(plain.request(), raw, body, authentic);
    }

    private static byte[] withoutHandle(Ordinal ordinal, byte[] body) {
        return Arrays.copyOfRange(body, Math.min(ordinal.outHandleBytes(), body.length), body.length);
    }

    /** Twenty bytes of this client's random numbers. */
    public byte[] nonce() {
        byte[] nonce = new byte[20];
        random.nextBytes(nonce);
        return nonce;
    }

    // Sessions

    /** Opens an OIAP session. */
    public Session oiap() throws IOException {
        return oiapSession(execute(Ordinal.OIAP, NONE).orFail());
    }

    /** The client's side of a session that an OIAP command opened. */
    public static Session oiapSession(Response opened) {
        return new Session(opened.u32(0), Arrays.copyOfRange(opened.body(), 4, 24), null, false);
    }

    /** Opens an OSAP session for an entity whose secret is known. */
    public Session osap(int entityType, int entityValue, byte[] secret) throws IOException {
        byte[] nonceOdd = nonce();
        Response opened = execute(Ordinal.OSAP, osapParameters(entityType, entityValue, nonceOdd));
        return osapSession(opened.orFail(), entityType, nonceOdd, secret);
    }

    /** The parameters of an OSAP command. */
    public static byte[] osapParameters(int entityType, int entityValue, byte[] nonceOdd) {
        return concat(u16(entityType), u32(entityValue), nonceOdd);
    }

    /** The client's side of a session that an OSAP or DSAP command with this entity type and nonce opened. */
    public static Session osapSession(Response opened, int entityType, byte[] nonceOdd, byte[] secret) {
        byte[] nonceEvenOsap = Arrays.copyOfRange(opened.body(), 24, 44);
        return new Session(
                opened.u32(0),
                Arrays.copyOfRange(opened.body(), 4, 24),
                Wire.hmac(secret, nonceEvenOsap, nonceOdd),
                (entityType & ADIP) == Structures.ADIP_AES_CTR);
    }

    /** The client's side of a transport session that does not encrypt. */
    public static Session transportSession(Response established) {
        return new Session(established.u32(0), Arrays.copyOfRange(established.body(), 40, 60), null, false);
    }

    // Commands that tests need over and over

    public Response startup(int type) throws IOException {
        return execute(Ordinal.STARTUP, u16(type));
    }

    public Response getRandom(int count) throws IOException {
        return execute(Ordinal.GET_RANDOM, u32(count));
    }

    public Response pcrRead(int pcr) throws IOException {
        return execute(Ordinal.PCR_READ, u32(pcr));
    }

    public Response extend(int pcr, byte[] digest) throws IOException {
        return execute(Ordinal.EXTEND, concat(u32(pcr), digest));
    }

    public Response getCapability(int area, byte[] subCapability) throws IOException {
        return execute(Ordinal.GET_CAPABILITY, concat(u32(area), sized(subCapability)));
    }

    /** Whether the TPM says that it implements a command. */
    public boolean implemented(int ordinal) throws IOException {
        return getCapability(Structures.CAP_ORD, u32(ordinal)).orFail().body()[4] == 1;
    }

    /** Asserts physical presence by command, as firmware does. */
    public void assertPresence() throws IOException {
        execute(Ordinal.TSC_PHYSICAL_PRESENCE, u16(0x20)).orFail();
        execute(Ordinal.TSC_PHYSICAL_PRESENCE, u16(0x08)).orFail();
    }

    /** Makes the endorsement key of a TPM that has none. */
    public Response createEndorsementKey() throws IOException {
        return execute(Ordinal.CREATE_ENDORSEMENT_KEY_PAIR, concat(nonce(), Structures.rsaParms(3, 1, 2048)));
    }

    /** Takes ownership with the secrets of the owner and of the storage root key. */
    public Response takeOwnership(byte[] owner, byte[] srk) throws IOException {
        var endorsementKey =
                Structures.modulus(execute(Ordinal.READ_PUBEK, nonce()).orFail().body(), 0);
        byte[] parameters = concat(
                u16(5),
                sized(Structures.oaep(endorsementKey, owner)),
                sized(Structures.oaep(endorsementKey, srk)),
                Structures.srkTemplate());
        return execute(Ordinal.TAKE_OWNERSHIP, parameters, Auth.once(oiap(), owner));
    }

    /** Defines an NV area without an owner: before the TPM has one, or before NV is locked. */
    public Response nvDefine(int index, int size, int attributes) throws IOException {
        return execute(Ordinal.NV_DEFINE_SPACE, concat(Structures.nvPublic(index, size, attributes), Wire.zeros()));
    }

    public Response nvWrite(int index, int offset, byte[] data, Auth... auths) throws IOException {
        return execute(Ordinal.NV_WRITE_VALUE, concat(u32(index), u32(offset), sized(data)), auths);
    }

    public Response nvRead(int index, int offset, int size, Auth... auths) throws IOException {
        return execute(Ordinal.NV_READ_VALUE, concat(u32(index), u32(offset), u32(size)), auths);
    }

    @Override
    public void close() {
        channel.close();
    }
}
