package org.vtpm.engine.tpm12.command;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * A request or a response, as the transport session sees it that carries it: header and handles in front and
 * authorisation blocks at the end stay as they are, only the data in between is encrypted and logged (TPM Main Part 3,
 * section 24.2).
 */
public final class Packet {
    private static final int HEADER = 10;
    private static final int RQU_COMMAND = 0x00C1;
    private static final int RSP_COMMAND = 0x00C4;
    private static final int MAX_AUTHORIZATIONS = 2;
    private static final int REQUEST_BLOCK = 45;
    private static final int RESPONSE_BLOCK = 41;

    private final Command command;
    private final int code;
    private final byte[] bytes;
    private final int start;
    private final int end;

    private Packet(Command command, int code, byte[] bytes, int start, int end) {
        this.command = command;
        this.code = code;
        this.bytes = bytes;
        this.start = start;
        this.end = end;
    }

    /**
     * A request; the array is not copied. Where the specification has TPM_BAD_PARAMETER for what is no request, libtpms
     * has TPM_BAD_PARAM_SIZE and TPM_BAD_ORDINAL.
     *
     * @throws TpmException with BAD_PARAM_SIZE if it has another size than it says; with BAD_PARAMETER if it is too short
     *     for what it must hold, or a request of no command that works
     */
    public static Packet request(Handlers handlers, byte[] bytes) {
        require(bytes.length >= HEADER, ReturnCode.BAD_PARAMETER);
        ByteReader in = new ByteReader(bytes);
        try {
            int blocks = blocks(in.u16() - RQU_COMMAND);
            require(in.i32() == bytes.length, ReturnCode.BAD_PARAM_SIZE);
            int ordinal = in.i32();
            Command command = handlers.command(ordinal);
            if (command == null) {
                throw new TpmException(ReturnCode.BAD_PARAMETER);
            }
            int start = HEADER + command.inHandleBytes();
            int end = bytes.length - blocks * REQUEST_BLOCK;
            require(start <= end, ReturnCode.BAD_PARAMETER);
            return new Packet(command, ordinal, bytes, start, end);
        } catch (CodecException e) {
            throw new IllegalStateException("a header is as long as it is", e);
        }
    }

    /** The response to a request, as this TPM gave it; the array is not copied. */
    public Packet response(byte[] response) {
        ByteReader in = new ByteReader(response);
        try {
            int blocks = blocks(in.u16() - RSP_COMMAND);
            in.i32();
            int returnCode = in.i32();
            boolean succeeded = returnCode == ReturnCode.SUCCESS.code();
            int from = HEADER + (succeeded ? command.outHandleBytes() : 0);
            return new Packet(command, returnCode, response, from, response.length - blocks * RESPONSE_BLOCK);
        } catch (CodecException e) {
            throw new IllegalStateException("a response without a header", e);
        }
    }

    /** A tag that is none of those with authorisation has no blocks. */
    private static int blocks(int count) {
        return count >= 0 && count <= MAX_AUTHORIZATIONS ? count : 0;
    }

    /** The row of its command. */
    public Command command() {
        return command;
    }

    /** All of it; not a copy. */
    public byte[] bytes() {
        return bytes;
    }

    /** A copy of its data. */
    public byte[] data() {
        return Arrays.copyOfRange(bytes, start, end);
    }

    /** A copy with other data of the same length. */
    public Packet withData(byte[] data) {
        if (data.length != end - start) {
            throw new IllegalArgumentException(data.length + " bytes for " + (end - start));
        }
        byte[] changed = bytes.clone();
        System.arraycopy(data, 0, changed, start, data.length);
        return new Packet(command, code, changed, start, end);
    }

    /**
     * The four bytes at an index, counted from behind the header.
     *
     * @throws TpmException with BAD_PARAM_SIZE if there are none
     */
    public int word(int index) {
        try {
            ByteReader in = new ByteReader(bytes, HEADER, bytes.length);
            in.bytes(index * Integer.BYTES);
            return in.i32();
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }

    /** H1, SHA-1 over a request's ordinal and data. */
    public byte[] requestDigest() {
        return digest(numbered(code));
    }

    /** H2, SHA-1 over a response's return code, its command's ordinal, and its data. */
    public byte[] responseDigest() {
        return digest(numbered(code), numbered(command.ordinal()));
    }

    /** Zeroes all of it. */
    public void destroy() {
        Secrets.zero(bytes);
    }

    private byte[] digest(byte[]... before) {
        Sha1 sum = new Sha1();
        for (byte[] part : before) {
            sum.update(part);
        }
        return sum.update(bytes, start, end - start).digest();
    }

    private static byte[] numbered(int number) {
        return new ByteWriter(Integer.BYTES).i32(number).finish();
    }

    /** Names no content. */
    @Override
    public String toString() {
        return "Packet[" + command.name() + "]";
    }
}
