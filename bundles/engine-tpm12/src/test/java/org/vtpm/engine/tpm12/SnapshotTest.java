package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.ReturnCode;

/** A TPM that is suspended and resumed: its guest must not be able to tell. */
class SnapshotTest {
    private static final byte[] DIGEST = Sha1.of(u8(1));
    private static final byte[] WRONG = new byte[20];
    private static final byte[] NOTHING = {};

    /** A TPM that has an endorsement key, an owner and NV areas that are not locked. */
    private static final byte[] OWNED = owned();

    private static final List<String> UNDISTURBED = answers(command -> false);

    private final TestTpm tpm = TestTpm.poweredOn(OWNED, new SecureRandom());

    @Test
    void restoredBetweenEveryTwoCommandsItAnswersAsIfNothingHadHappened() {
        assertThat(UNDISTURBED).hasSizeGreaterThan(350);
        assertThat(answers(command -> true)).isEqualTo(UNDISTURBED);
    }

    @Property(tries = 12, shrinking = ShrinkingMode.OFF)
    void itMayBeSuspendedAnywhere(@ForAll @Size(max = 30) Set<@IntRange(max = 360) Integer> cuts) {
        assertThat(answers(cuts::contains)).isEqualTo(UNDISTURBED);
    }

    @Test
    void takingASnapshotChangesNothing() {
        assertThat(tpm.snapshot()).isEqualTo(tpm.snapshot());
        tpm.startup(StartupMode.CLEAR);
        byte[] first = tpm.snapshot();
        assertThat(tpm.snapshot()).isEqualTo(first);
        tpm.resume(first);
        assertThat(tpm.snapshot()).isEqualTo(first);
    }

    /** On another host the clock counts from anywhere; the calendar tells how long the TPM was away. */
    @Test
    void ticksGoOnWithTheTimeThatPassed() {
        tpm.startup(StartupMode.CLEAR);
        tpm.clock.addAndGet(5_000_000_000L);
        byte[] before = ticks();
        byte[] snapshot = tpm.snapshot();
        tpm.clock.set(17);
        tpm.wall.addAndGet(3_000);
        tpm.resume(snapshot);
        byte[] after = ticks();
        assertThat(count(after)).isEqualTo(count(before) + 3_000_000);
        assertThat(Arrays.copyOfRange(after, 12, 32)).isEqualTo(Arrays.copyOfRange(before, 12, 32));
        tpm.clock.addAndGet(1_000_000);
        assertThat(count(ticks())).isEqualTo(count(after) + 1_000);
    }

    @Test
    void aCalendarThatWasSetBackStandsStill() {
        tpm.startup(StartupMode.CLEAR);
        byte[] before = ticks();
        byte[] snapshot = tpm.snapshot();
        tpm.clock.set(17);
        tpm.wall.addAndGet(-3_000);
        tpm.resume(snapshot);
        assertThat(ticks()).isEqualTo(before);
    }

    @Test
    void aLockoutIsServedAlsoWhileTheTpmIsAway() {
        tpm.startup(StartupMode.CLEAR);
        for (int failure = 0; failure < 7; failure++) {
            tpm.clock.addAndGet(1_000_000_000L);
            ownerSays(WRONG).is(ReturnCode.AUTHFAIL);
        }
        away(1_999);
        ownerSays(OWNER_AUTH).is(ReturnCode.DEFEND_LOCK_RUNNING);
        away(1);
        ownerSays(OWNER_AUTH).is(ReturnCode.SUCCESS);
    }

    @Test
    void aTpmThatWaitsForItsStartupStillDoes() {
        tpm.startup(StartupMode.CLEAR);
        tpm.send("Extend", u32(5), DIGEST).is(ReturnCode.SUCCESS);
        byte[] pcr = pcr(5);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        byte[] snapshot = tpm.snapshot();
        tpm.stored.put(StateKind.SAVED, new byte[] {1, 2, 3});
        tpm.resume(snapshot);
        tpm.send("GetTicks").is(ReturnCode.INVALID_POSTINIT);
        tpm.startup(StartupMode.STATE);
        assertThat(pcr(5)).isEqualTo(pcr);
        assertThat(tpm.stored.get(StateKind.SAVED)).isEmpty();
    }

    @Test
    void failureModeLasts() {
        byte[] resume = tpm.startupCommand(StartupMode.STATE);
        TestTpm.parse(tpm.execute(0, resume)).is(ReturnCode.FAILEDSELFTEST);
        tpm.resume(tpm.snapshot());
        tpm.send("GetTicks").is(ReturnCode.FAILEDSELFTEST);
    }

    @Test
    void aSnapshotGoesWithThePermanentStateOfItsTime() {
        tpm.startup(StartupMode.CLEAR);
        tpm.presence();
        Map<StateKind, byte[]> earlier = stored();
        earlier.put(StateKind.VOLATILE, tpm.snapshot());
        tpm.send("NV_WriteValue", u32(0x1000), u32(0), sized(u8(9))).is(ReturnCode.SUCCESS);
        Map<StateKind, byte[]> later = stored();
        later.put(StateKind.VOLATILE, tpm.snapshot());
        opens(earlier);
        opens(later);
        byte[] swapped = later.get(StateKind.VOLATILE);
        later.put(StateKind.VOLATILE, earlier.get(StateKind.VOLATILE));
        refused(later, "does not belong to its permanent state");
        earlier.put(StateKind.VOLATILE, swapped);
        refused(earlier, "does not belong to its permanent state");
        later.put(StateKind.PERMANENT, TestTpm.started().stored.get(StateKind.PERMANENT));
        refused(later, "does not belong to its permanent state");
    }

    @Test
    void whatIsNoSnapshotIsRefused() {
        tpm.startup(StartupMode.CLEAR);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        byte[] snapshot = tpm.snapshot();
        refused(withVolatile(new byte[] {1}), "damaged");
        refused(withVolatile(OWNED), "not the volatile state");
        refused(withVolatile(Arrays.copyOf(snapshot, snapshot.length - 1)), "damaged");
        refused(withVolatile(Arrays.copyOf(snapshot, snapshot.length + 1)), "damaged");
        for (int version : new int[] {0, 1, 2, 4, 0xFF}) {
            byte[] other = snapshot.clone();
            other[6] = (byte) version;
            refused(withVolatile(other), "has version " + version + ", but only version 3 can be read");
        }
        byte[] thread = snapshot.clone();
        int bufferPosition = thread.length
                - 28
                - 1
                - 4
                - (41 - 4); // before tick session, launch and transport, in the unfinished hash
        thread[bufferPosition] = 0x7F;
        refused(withVolatile(thread), "damaged");
        opens(withVolatile(NOTHING));
    }

    // The script

    private static byte[] owned() {
        TestTpm tpm = TestTpm.started();
        GuestOwner.withNewEk(tpm).takeOwnership();
        tpm.presence();
        byte[] area = NvGuest.area(0x1000, NvGuest.ANYWHERE, NvGuest.ANYWHERE, 4, Permission.PPWRITE);
        tpm.send("NV_DefineSpace", area, NvGuest.SECRET).is(ReturnCode.SUCCESS);
        return tpm.stored.get(StateKind.PERMANENT);
    }

    /** All responses in a session of a guest, during which the TPM is replaced before some of the commands. */
    private static List<String> answers(IntPredicate replacedBefore) {
        TestTpm tpm = TestTpm.poweredOn(OWNED, GuestScript.generator());
        List<String> answers = new ArrayList<>();
        tpm.answers = response -> answers.add(HexFormat.of().formatHex(response));
        tpm.between = () -> {
            tpm.clock.addAndGet(1_000_000);
            if (replacedBefore.test(answers.size())) {
                tpm.resume(tpm.snapshot());
            }
        };
        GuestScript.run(tpm);
        return answers;
    }

    // Help

    private TestTpm.Response ownerSays(byte[] ownerAuth) {
        return tpm.authorized(tpm.oiap(ownerAuth), false, "GetCapabilityOwner");
    }

    private void away(long millis) {
        byte[] snapshot = tpm.snapshot();
        tpm.wall.addAndGet(millis);
        tpm.resume(snapshot);
    }

    private byte[] pcr(int index) {
        return tpm.send("PcrRead", u32(index)).is(ReturnCode.SUCCESS).parameters();
    }

    private byte[] ticks() {
        return tpm.send("GetTicks").is(ReturnCode.SUCCESS).parameters();
    }

    private static long count(byte[] ticks) {
        return ByteBuffer.wrap(ticks).getLong(2);
    }

    private Map<StateKind, byte[]> stored() {
        return new EnumMap<>(tpm.stored);
    }

    private Map<StateKind, byte[]> withVolatile(byte[] part) {
        Map<StateKind, byte[]> state = stored();
        state.put(StateKind.VOLATILE, part);
        return state;
    }

    private void opens(Map<StateKind, byte[]> state) {
        try {
            tpm.tryToOpen(state);
        } catch (EngineStateException e) {
            throw new AssertionError(e);
        }
    }

    private void refused(Map<StateKind, byte[]> state, String why) {
        assertThatExceptionOfType(EngineStateException.class)
                .isThrownBy(() -> tpm.tryToOpen(state))
                .withMessageContaining(why);
    }
}
