package org.vtpm.root.tpm20;

import org.jspecify.annotations.Nullable;

/** Response codes (TPM 2.0 Library, Part 2, TPM_RC) that say something to an operator or to this code. */
enum ResponseCode {
    INITIALIZE(0x100, "it was not started: the firmware or its driver has to send TPM2_Startup; restart the host"),
    FAILURE(0x101, "it is in failure mode: power the host off and on; if that does not help, the TPM is broken"),
    DISABLED(0x120, "the hierarchy is switched off: switch it on in the host's firmware"),
    UPGRADE(0x12D, "its firmware is being updated: finish the update first"),
    PCR_CHANGED(0x128, "PCRs changed in the meantime: try again"),
    NV_LOCKED(0x148, "the NV index is locked until the next restart"),
    NV_UNINITIALIZED(0x14A, "the NV index was never written"),
    NV_SPACE(0x14B, "its NV memory is full: remove an index that nobody needs (tpm2_nvreadpublic, tpm2_nvundefine)"),
    NV_DEFINED(0x14C, "the NV index exists already"),
    OBJECT_MEMORY(0x902, "its memory for objects is full: other programs left theirs (tpm2_flushcontext -t)"),
    SESSION_MEMORY(0x903, "its memory for sessions is full: other programs left theirs (tpm2_flushcontext -l)"),
    MEMORY(0x904, "its memory is full: other programs left objects or sessions (tpm2_flushcontext -t, -l)"),
    SESSION_HANDLES(0x905, "it has no more sessions: other programs left theirs (tpm2_flushcontext -l)"),
    OBJECT_HANDLES(0x906, "it has no more handles for objects: other programs left theirs (tpm2_flushcontext -t)"),
    YIELDED(0x908, "it was busy all the time: try again later"),
    CANCELED(0x909, "the command was cancelled: try again"),
    TESTING(0x90A, "it was testing itself all the time: try again later"),
    NV_RATE(0x920, "it wants its NV memory written less often: try again later"),
    LOCKOUT(0x921, "it is locked out because of wrong secrets: wait, or reset it (tpm2_dictionarylockout -c)"),
    RETRY(0x922, "it was busy all the time: try again later"),
    NV_UNAVAILABLE(0x923, "its NV memory cannot be written at the moment: try again later"),
    VALUE(0x084, null),
    HIERARCHY(0x085, "the hierarchy is switched off: switch it on in the host's firmware"),
    HANDLE(0x08B, null),
    AUTH_FAIL(0x08E, Words.WRONG_AUTH),
    POLICY_FAIL(0x09D, "the policy is not fulfilled"),
    SIGNATURE(0x09B, "the signature is not one of this key"),
    INTEGRITY(0x09F, "the object was changed, or belongs to another TPM"),
    TICKET(0x0A0, null),
    BAD_AUTH(0x0A2, Words.WRONG_AUTH);

    private static final class Words {
        static final String WRONG_AUTH =
                "the authorization value is wrong, or something between here and the TPM changed the command";
    }

    private static final int FORMAT_ONE = 0x080;
    private static final int FORMAT_ONE_MASK = 0x0BF;
    private static final int FORMAT_ZERO_MASK = 0xFFF;

    private final int code;
    private final @Nullable String words;

    ResponseCode(int code, @Nullable String words) {
        this.code = code;
        this.words = words;
    }

    /** What is wrong and what to do, in words that follow the name of the TPM; nothing if the number says more. */
    @Nullable
    String words() {
        return words;
    }

    /** Whether the same command may well succeed a moment later. */
    boolean passes() {
        return switch (this) {
            case YIELDED, TESTING, NV_RATE, RETRY, NV_UNAVAILABLE -> true;
            default -> false;
        };
    }

    /** What a number stands for, without the handle, parameter or session that it is about. */
    static @Nullable ResponseCode of(int number) {
        int bare = (number & FORMAT_ONE) != 0 ? number & FORMAT_ONE_MASK : number & FORMAT_ZERO_MASK;
        for (ResponseCode each : values()) {
            if (each.code == bare) {
                return each;
            }
        }
        return null;
    }
}
