package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;

/** The host's own TPM, as VTPM_ORD_TPMCOMMAND reaches it: what a root of trust lets through. Used by one thread. */
final class TpmPassthrough {
    private static final Logger LOG = LoggerFactory.getLogger(TpmPassthrough.class);

    private static final int LONGEST_RESPONSE = Frame.MAX - Frame.MIN;
    private static final int RETURN_CODE_AT = 6;

    private final Supplier<@Nullable HostTpmCommands> commands;
    private long troubles;

    /**
     * What came of a command.
     *
     * @param status of the order; a TPM's own error is in its response, and no error of the order
     * @param response of the TPM; empty if there is none
     */
    record Answer(TpmError status, byte[] response) {
        private static Answer without(TpmError status) {
            return new Answer(status, new byte[0]);
        }
    }

    /** @param commands where the TPM is now, if there is one */
    TpmPassthrough(Supplier<@Nullable HostTpmCommands> commands) {
        this.commands = commands;
    }

    /** Has the TPM execute a command, and waits for it. */
    Answer execute(byte[] command) {
        HostTpmCommands tpm = commands.get();
        if (tpm == null) {
            report("no root of trust is a TPM of this host; install vtpm-root-tpm12 or vtpm-root-tpm20");
            return Answer.without(TpmError.IOERROR);
        }
        byte[] response;
        try {
            response = tpm.execute(command);
        } catch (RootOfTrustException e) {
            report(e.getMessage());
            return Answer.without(TpmError.IOERROR);
        }
        if (response.length > LONGEST_RESPONSE) {
            report("its response of " + response.length + " bytes is too long");
            return Answer.without(TpmError.FAIL);
        }
        return ByteBuffer.wrap(response).getInt(RETURN_CODE_AT) == TpmError.DISABLED_CMD.code()
                ? Answer.without(TpmError.DISABLED_CMD)
                : new Answer(TpmError.SUCCESS, response);
    }

    /** Logged at powers of two: often enough to be seen, seldom enough not to fill the log. */
    private void report(@Nullable String why) {
        if (Long.bitCount(++troubles) == 1) {
            LOG.warn("A command for the host's TPM was not carried out: {} ({} so far)", why, troubles);
        }
    }
}
