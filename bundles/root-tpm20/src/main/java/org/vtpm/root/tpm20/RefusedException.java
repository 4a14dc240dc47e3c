package org.vtpm.root.tpm20;

import org.jspecify.annotations.Nullable;

/** The TPM answered a command with a response code other than TPM_RC_SUCCESS. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final CommandCode command;
    private final int number;

    RefusedException(CommandCode command, int number) {
        super(words(command, number));
        this.command = command;
        this.number = number;
    }

    CommandCode command() {
        return command;
    }

    /** Which response code it was; null for those that {@link ResponseCode} does not list. */
    @Nullable
    ResponseCode code() {
        return ResponseCode.of(number);
    }

    boolean is(ResponseCode code) {
        return code() == code;
    }

    /** Whether the authorization value was wrong, or was used for another command. */
    boolean isWrongAuth() {
        return is(ResponseCode.BAD_AUTH) || is(ResponseCode.AUTH_FAIL);
    }

    private static String words(CommandCode command, int number) {
        ResponseCode code = ResponseCode.of(number);
        String said = String.format("%s was answered with 0x%03X", command, number);
        if (code == null) {
            return said;
        }
        String named = said + " (TPM_RC_" + code.name() + ")";
        return code.words() == null ? named : code.words() + "; " + named;
    }
}
