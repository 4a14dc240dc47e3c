package org.vtpm.root.tpm20;

import java.nio.ByteBuffer;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.hosttpm.HostTpmException;

/**
 * Commands of TPM 1.2 on a TPM 2.0: TPM_GetRandom is translated, as Xen's vtpmmgr does it, and all others are refused. Their
 * PCRs are not each other's: those of the SHA-1 bank may be there or not, and are not what this TPM vouches for.
 */
final class Passthrough implements HostTpmCommands {
    /** What TPM_GetRandom gives at most, as a TPM may give less than it is asked for. */
    static final int MOST_RANDOM = 256;

    private static final int HEADER = 10;
    private static final int SIZE_AT = 2;
    private static final int ORDINAL_AT = 6;
    private static final short TAG_REQUEST = 0x00C1;
    private static final short TAG_RESPONSE = 0x00C4;
    private static final int ORD_GET_RANDOM = 0x46;

    // TPM 1.2's return codes
    private static final int SUCCESS = 0x00;
    private static final int DISABLED_CMD = 0x08;
    private static final int BAD_PARAM_SIZE = 0x19;
    private static final int BADTAG = 0x1E;

    private final Sequences sequences;

    Passthrough(Sequences sequences) {
        this.sequences = sequences;
    }

    @Override
    public byte[] execute(byte[] command) throws RootOfTrustException {
        ByteBuffer in = ByteBuffer.wrap(command);
        if (command.length < HEADER || in.getInt(SIZE_AT) != command.length) {
            return response(BAD_PARAM_SIZE, new byte[0]);
        }
        if (in.getShort() != TAG_REQUEST) {
            return response(BADTAG, new byte[0]);
        }
        if (in.getInt(ORDINAL_AT) != ORD_GET_RANDOM) {
            return response(DISABLED_CMD, new byte[0]);
        }
        if (command.length != HEADER + Integer.BYTES) {
            return response(BAD_PARAM_SIZE, new byte[0]);
        }
        long wanted = Integer.toUnsignedLong(in.getInt(HEADER));
        byte[] random = random((int) Math.min(wanted, MOST_RANDOM));
        return response(
                SUCCESS,
                ByteBuffer.allocate(Integer.BYTES + random.length)
                        .putInt(random.length)
                        .put(random)
                        .array());
    }

    /** A TPM gives no more at once than its longest digest has. */
    private byte[] random(int wanted) throws RootOfTrustException {
        ByteBuffer random = ByteBuffer.allocate(wanted);
        return sequences.run(tpm -> {
            while (random.hasRemaining()) {
                byte[] some = some(tpm, random.remaining());
                random.put(some, 0, Math.min(some.length, random.remaining()));
            }
            return random.array();
        });
    }

    private static byte[] some(Tpm tpm, int wanted) throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] parameters =
                ByteBuffer.allocate(Short.BYTES).putShort((short) wanted).array();
        byte[] some = Tpm.decode(
                        CommandCode.GET_RANDOM,
                        Structures.Buffer.class,
                        tpm.call(CommandCode.GET_RANDOM, parameters).parameters())
                .bytes();
        if (some.length == 0) {
            throw new RootOfTrustException("the TPM gives no random numbers; look at its state with tpm2_selftest");
        }
        return some;
    }

    private static byte[] response(int code, byte[] parameters) {
        return ByteBuffer.allocate(HEADER + parameters.length)
                .putShort(TAG_RESPONSE)
                .putInt(HEADER + parameters.length)
                .putInt(code)
                .put(parameters)
                .array();
    }
}
