package org.vtpm.root.tpm12;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.vtpm.tpm12.structure.ReturnCode;

/** The TPM answered a command with a return code other than TPM_SUCCESS. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int number;

    RefusedException(Command command, int number) {
        super(words(command, number));
        this.number = number;
    }

    boolean is(ReturnCode code) {
        return number == code.code();
    }

    int number() {
        return number;
    }

    /** Whether the TPM asks for a moment's patience. */
    boolean passes() {
        return is(ReturnCode.RETRY) || is(ReturnCode.NEEDS_SELFTEST) || is(ReturnCode.DOING_SELFTEST);
    }

    /** Whether an authorization value was wrong. */
    boolean isWrongAuth() {
        return is(ReturnCode.AUTHFAIL) || is(ReturnCode.AUTH2FAIL);
    }

    /** Whether this has nothing to do with what the command was about: it could succeed at another time. */
    boolean isAboutTheTpm() {
        return code(number).filter(code -> advice(code) != null).isPresent();
    }

    private static Optional<ReturnCode> code(int number) {
        return Arrays.stream(ReturnCode.values())
                .filter(each -> each.code() == number)
                .findFirst();
    }

    private static String words(Command command, int number) {
        String said = String.format("%s was answered with 0x%X", command, number);
        Optional<ReturnCode> code = code(number);
        if (code.isEmpty()) {
            return said;
        }
        String named = said + " (TPM_" + code.get().name() + ")";
        String advice = advice(code.get());
        return advice == null ? named : advice + "; " + named;
    }

    private static @Nullable String advice(ReturnCode code) {
        return switch (code) {
            case DISABLED, DEACTIVATED -> "it is switched off: enable and activate it in the host's firmware";
            case INSTALL_DISABLED -> "it may not get an owner: allow that in the host's firmware";
            case NO_ENDORSEMENT -> "it has no endorsement key: have one made with tpm_createek";
            case INVALID_POSTINIT -> "it was not started: the host's firmware or its driver has to send TPM_Startup";
            case BAD_ORDINAL -> "it does not know this command, as TPMs before version 1.2 do not: it cannot be used";
            case FAILEDSELFTEST -> "it failed its self-test: restart the host; if that does not help, it is broken";
            case RESOURCES ->
                "it has no room for another session or counter: end other programs that use it, or restart"
                        + " the host";
            case DEFEND_LOCK_RUNNING ->
                "it is locked after wrong secrets: wait, or have its owner reset that with" + " tpm_resetdalock";
            case RETRY, NEEDS_SELFTEST, DOING_SELFTEST -> "it is busy: try again";
            default -> null;
        };
    }
}
