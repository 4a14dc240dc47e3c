package org.vtpm.root.tpm12;

import java.nio.ByteBuffer;
import java.util.Set;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.hosttpm.TpmConnection;
import org.vtpm.tpm12.structure.ReturnCode;

/** Passes harmless commands on, byte by byte, and answers all others itself. */
final class Passthrough implements HostTpmCommands {
    private static final int HEADER = 10;
    private static final int SIZE_AT = 2;
    private static final int ORDINAL_AT = 6;

    private final HostTpm host;
    private final Set<HarmlessCommand> allowed;

    Passthrough(HostTpm host, Set<HarmlessCommand> allowed) {
        this.host = host;
        this.allowed = Set.copyOf(allowed);
    }

    @Override
    public byte[] execute(byte[] command) throws RootOfTrustException {
        if (command.length < HEADER
                || command.length > TpmConnection.LONGEST
                || ByteBuffer.wrap(command).getInt(SIZE_AT) != command.length) {
            return refusal(ReturnCode.BAD_PARAM_SIZE);
        }
        // None of the harmless commands has an authorization block.
        if (ByteBuffer.wrap(command).getShort() != Tpm.TAG_REQUEST) {
            return refusal(ReturnCode.BADTAG);
        }
        if (HarmlessCommand.of(ByteBuffer.wrap(command).getInt(ORDINAL_AT))
                .filter(allowed::contains)
                .isEmpty()) {
            return refusal(ReturnCode.DISABLED_CMD);
        }
        try (TpmConnection connection = host.open()) {
            return connection.transmit(command);
        } catch (HostTpmException e) {
            throw new RootOfTrustException(String.valueOf(e.getMessage()), e);
        }
    }

    private static byte[] refusal(ReturnCode code) {
        return ByteBuffer.allocate(HEADER)
                .putShort((short) Tpm.TAG_RESPONSE)
                .putInt(HEADER)
                .putInt(code.code())
                .array();
    }
}
