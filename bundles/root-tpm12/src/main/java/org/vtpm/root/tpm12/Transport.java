package org.vtpm.root.tpm12;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.hosttpm.TpmConnection;
import org.vtpm.tpm12.session.TransportCipher;
import org.vtpm.tpm12.session.TransportCipher.Direction;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.TransportPublic;

/**
 * An encrypted transport session (TPM Main Part 3, section 24.2). Its secret went to the TPM encrypted for the storage root
 * key: only the TPM that has the private half can read what is wrapped, and answer.
 */
final class Transport {
    /** How it encrypts: MGF1, which every TPM 1.2 has to know. */
    static final TransportPublic PUBLIC =
            new TransportPublic(TransportPublic.ENCRYPT, Algorithm.MGF1, Algorithm.ES_NONE);

    private static final int HEADER = 10;
    private static final int RETURN_CODE_AT = 6;
    private static final int TICKS_AND_LOCALITY = Long.BYTES + Integer.BYTES;

    private final Session session;

    Transport(Session session) {
        this.session = session;
    }

    /**
     * Has a command carried out.
     *
     * @param request the whole of it, with authorization blocks
     * @param blocks how many of these it has
     * @return the whole response, believed to be the TPM's
     * @throws RefusedException if the TPM does not look at the command at all
     */
    byte[] execute(TpmConnection connection, Command command, byte[] request, int blocks)
            throws HostTpmException, RefusedException, RootOfTrustException {
        session.turn();
        int from = HEADER + command.inHandleBytes();
        int to = request.length - blocks * Session.REQUEST_BLOCK;
        byte[] h1 = new Sha1()
                .update(number(command.code()))
                .update(request, from, to - from)
                .digest();
        byte[] digest = Sha1.of(number(Command.EXECUTE_TRANSPORT.code()), number(request.length), h1);
        byte[] wrapped = apply(Direction.IN, request, from, to);
        byte[] outer = new ByteWriter()
                .u16(Tpm.TAG_REQUEST + 1)
                .i32(HEADER + Integer.BYTES + request.length + Session.REQUEST_BLOCK)
                .i32(Command.EXECUTE_TRANSPORT.code())
                .i32(request.length)
                .bytes(wrapped)
                .bytes(session.authorize(digest))
                .finish();
        try {
            return opened(command, connection.transmit(outer));
        } catch (CodecException e) {
            throw Tpm.noResponse(command, String.valueOf(e.getMessage()));
        }
    }

    private byte[] opened(Command command, byte[] outer) throws RefusedException, RootOfTrustException, CodecException {
        int code = ByteBuffer.wrap(outer).getInt(RETURN_CODE_AT);
        if (code != 0) {
            throw new RefusedException(Command.EXECUTE_TRANSPORT, code);
        }
        ByteReader in = new ByteReader(outer);
        in.bytes(HEADER);
        byte[] ticksAndLocality = in.bytes(TICKS_AND_LOCALITY);
        int length = in.i32();
        byte[] covered = in.bytes(length);
        byte[] block = in.bytes(Session.RESPONSE_BLOCK);
        in.expectEnd();
        if (length < HEADER) {
            throw Tpm.noResponse(command, "a response of " + length + " bytes");
        }
        int blocks = Math.max(0, ByteBuffer.wrap(covered).getShort() - Tpm.TAG_RESPONSE);
        int to = length - blocks * Session.RESPONSE_BLOCK;
        if (to < HEADER) {
            throw Tpm.noResponse(command, blocks + " authorizations in " + length + " bytes");
        }
        byte[] nonceEven = Arrays.copyOf(block, Sha1.LENGTH);
        byte[] response = apply(Direction.OUT, nonceEven, covered, HEADER, to);
        byte[] h2 = new Sha1()
                .update(covered, RETURN_CODE_AT, Integer.BYTES)
                .update(number(command.code()))
                .update(response, HEADER, to - HEADER)
                .digest();
        byte[] digest =
                Sha1.of(number(0), number(Command.EXECUTE_TRANSPORT.code()), ticksAndLocality, number(length), h2);
        if (!session.accepts(digest, block)) {
            Secrets.zero(response);
            throw Tpm.changed(command);
        }
        return response;
    }

    private byte[] apply(Direction direction, byte[] packet, int from, int to) {
        return apply(direction, session.nonceEven(), packet, from, to);
    }

    /** A copy of a packet with its data encrypted or decrypted. */
    private byte[] apply(Direction direction, byte[] nonceEven, byte[] packet, int from, int to) {
        byte[] data = Arrays.copyOfRange(packet, from, to);
        byte[] result = TransportCipher.apply(PUBLIC, session.key(), nonceEven, session.nonceOdd(), direction, data);
        byte[] copy = packet.clone();
        System.arraycopy(result, 0, copy, from, result.length);
        Secrets.zero(data, result);
        return copy;
    }

    private static byte[] number(int value) {
        return new ByteWriter(Integer.BYTES).i32(value).finish();
    }
}
