package org.vtpm.engine.tpm12.state;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Present;
import org.vtpm.codec.Sized;

/**
 * What is gone with the power: TPM_STANY_FLAGS, timing ticks and the self-test's outcome (TPM Main Part 2, sections
 * 7.3 and 7.7).
 *
 * @param postInitialise waiting for TPM_Startup
 * @param saved what TPM_SaveState kept before the last loss of power, until TPM_Startup decides over it
 * @param stateSaved TPM_SaveState was the last command that counted
 * @param selfTest how far the self-test got
 * @param tosPresent a dynamic launch took place
 * @param sha1Thread what TPM_SHA1Start began, or null
 * @param launch what TPM_HASH_START began, as {@link org.vtpm.crypto.Sha1#resume} goes on with it, or null
 * @param ticks what timing ticks are counted from: the power came, so that whatever Startup follows changes nothing
 */
public record VolatileState(
        boolean postInitialise,
        @Present @Sized byte @Nullable [] saved,
        boolean stateSaved,
        SelfTest selfTest,
        boolean tosPresent,
        @Present @Nullable Sha1Thread sha1Thread,
        @Present @Sized byte @Nullable [] launch,
        TickSession ticks) {

    /** How far the self-test got. */
    public enum SelfTest {
        /** Only what TPM_Startup and TPM_Extend need. */
        LIMITED,
        PASSED,
        /** Failure mode, until the next loss of power. */
        FAILED
    }

    /** After TPM_Init. */
    public static VolatileState initial(byte @Nullable [] saved, TickSession ticks) {
        return new VolatileState(true, saved, false, SelfTest.LIMITED, false, null, null, ticks);
    }

    /** TPM_Startup is done. */
    public VolatileState started() {
        return with(copy -> {
            copy.postInitialise = false;
            copy.saved = null;
            copy.stateSaved = false;
            copy.tosPresent = false;
            copy.sha1Thread = null;
        });
    }

    public VolatileState withStateSaved(boolean to) {
        return with(copy -> copy.stateSaved = to);
    }

    public VolatileState withSelfTest(SelfTest to) {
        return with(copy -> copy.selfTest = to);
    }

    public VolatileState withTosPresent(boolean to) {
        return with(copy -> copy.tosPresent = to);
    }

    public VolatileState withSha1Thread(@Nullable Sha1Thread to) {
        return with(copy -> copy.sha1Thread = to);
    }

    public VolatileState withLaunch(byte @Nullable [] to) {
        return with(copy -> copy.launch = to);
    }

    private VolatileState with(Consumer<Copy> change) {
        Copy copy = new Copy(this);
        change.accept(copy);
        return copy.finish();
    }

    /** A state in the making: the one place, besides the record's head, that names all components. */
    private static final class Copy {
        private boolean postInitialise;
        private byte @Nullable [] saved;
        private boolean stateSaved;
        private SelfTest selfTest;
        private boolean tosPresent;
        private @Nullable Sha1Thread sha1Thread;
        private byte @Nullable [] launch;
        private final TickSession ticks;

        Copy(VolatileState of) {
            postInitialise = of.postInitialise;
            saved = of.saved;
            stateSaved = of.stateSaved;
            selfTest = of.selfTest;
            tosPresent = of.tosPresent;
            sha1Thread = of.sha1Thread;
            launch = of.launch;
            ticks = of.ticks;
        }

        VolatileState finish() {
            return new VolatileState(
                    postInitialise, saved, stateSaved, selfTest, tosPresent, sha1Thread, launch, ticks);
        }
    }

    void secrets(Consumer<byte[]> visitor) {
        if (saved != null) {
            visitor.accept(saved);
        }
        if (sha1Thread != null) {
            visitor.accept(sha1Thread.suspended());
        }
        if (launch != null) {
            visitor.accept(launch);
        }
    }

    /** Names no content. */
    @Override
    public String toString() {
        return "VolatileState[postInitialise=" + postInitialise + ", " + selfTest + "]";
    }
}
