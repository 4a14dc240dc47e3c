package org.vtpm.engine.tpm12.state;

import org.jspecify.annotations.Nullable;

/**
 * What is gone with the power: TPM_STANY_FLAGS and the self-test's outcome (TPM Main Part 2, section 7.3).
 *
 * @param postInitialise waiting for TPM_Startup
 * @param saved what TPM_SaveState kept before the last loss of power, until TPM_Startup decides over it
 * @param stateSaved TPM_SaveState was the last command that counted
 * @param selfTest how far the self-test got
 * @param tosPresent a dynamic launch took place
 * @param sha1Thread unfinished SHA-1 of TPM_SHA1Start, or null
 */
public record VolatileState(
        boolean postInitialise,
        byte @Nullable [] saved,
        boolean stateSaved,
        SelfTest selfTest,
        boolean tosPresent,
        byte @Nullable [] sha1Thread) {

    /** How far the self-test got. */
    public enum SelfTest {
        /** Only what TPM_Startup and TPM_Extend need. */
        LIMITED,
        PASSED,
        /** Failure mode, until the next loss of power. */
        FAILED
    }

    /** After TPM_Init. */
    public static VolatileState initial(byte @Nullable [] saved) {
        return new VolatileState(true, saved, false, SelfTest.LIMITED, false, null);
    }

    /** TPM_Startup is done. */
    public VolatileState started() {
        return new VolatileState(false, null, false, selfTest, false, null);
    }

    public VolatileState withStateSaved(boolean to) {
        return new VolatileState(postInitialise, saved, to, selfTest, tosPresent, sha1Thread);
    }

    public VolatileState withSelfTest(SelfTest to) {
        return new VolatileState(postInitialise, saved, stateSaved, to, tosPresent, sha1Thread);
    }

    public VolatileState withTosPresent(boolean to) {
        return new VolatileState(postInitialise, saved, stateSaved, selfTest, to, sha1Thread);
    }

    public VolatileState withSha1Thread(byte @Nullable [] to) {
        return new VolatileState(postInitialise, saved, stateSaved, selfTest, tosPresent, to);
    }

    /** Names no content. */
    @Override
    public String toString() {
        return "VolatileState[postInitialise=" + postInitialise + ", " + selfTest + "]";
    }
}
