package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
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
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.Handles;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.NvAttributes.Permission;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/** A TPM that is suspended and resumed: its guest must not be able to tell. */
class SnapshotTest {
    private static final byte[] DIGEST = Sha1.of(u8(1));
    private static final byte[] LABEL = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f");
    private static final byte[] PCR_16 = HexFormat.of().parseHex("0003000001");
    private static final byte[] WRONG = new byte[20];
    private static final byte[] DATA_AUTH = Sha1.of(u8(2));
    private static final byte[] NOTHING = {};
    private static final int KEY = 1;
    private static final int AUTH = 2;

    /** A TPM that has an endorsement key, an owner and NV areas that are not locked. */
    private static final byte[] OWNED = owned();

    private static final List<String> UNDISTURBED = answers(command -> false);

    private final TestTpm tpm = TestTpm.poweredOn(OWNED, new SecureRandom());

    @Test
    void restoredBetweenEveryTwoCommandsItAnswersAsIfNothingHadHappened() {
        assertThat(UNDISTURBED).hasSizeGreaterThan(140);
        assertThat(answers(command -> true)).isEqualTo(UNDISTURBED);
    }

    @Property(tries = 12, shrinking = ShrinkingMode.OFF)
    void itMayBeSuspendedAnywhere(@ForAll @Size(max = 30) Set<@IntRange(max = 150) Integer> cuts) {
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

    private static SecureRandom generator() {
        try {
            SecureRandom random = SecureRandom.getInstance("SHA1PRNG");
            random.setSeed(7);
            return random;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

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
        TestTpm tpm = TestTpm.poweredOn(OWNED, generator());
        List<String> answers = new ArrayList<>();
        tpm.answers = response -> answers.add(HexFormat.of().formatHex(response));
        tpm.between = () -> {
            tpm.clock.addAndGet(1_000_000);
            if (replacedBefore.test(answers.size())) {
                tpm.resume(tpm.snapshot());
            }
        };
        use(tpm);
        return answers;
    }

    private static void use(TestTpm tpm) {
        tpm.send("GetTicks").is(ReturnCode.INVALID_POSTINIT);
        tpm.startup(StartupMode.CLEAR);
        tpm.presence();
        measure(tpm);
        useSessionsAndKeys(tpm);
        useNv(tpm);
        keepContextsOutside(tpm);
        countAndAudit(tpm);
        certify(tpm);
        wrap(tpm);
        move(tpm);
        attest(tpm);
        guess(tpm);
        sleep(tpm);
        tpm.presence();
        tpm.send("SetOwnerInstall", u8(1));
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(4), sized(u32(0x108))).is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(4), sized(u32(0x109))).is(ReturnCode.SUCCESS);
        tpm.send("ReadPubek", DIGEST).is(ReturnCode.SUCCESS);
    }

    private static void measure(TestTpm tpm) {
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(0), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[128])).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[64])).is(ReturnCode.SUCCESS);
        tpm.send("SHA1CompleteExtend", u32(3), sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("GetRandom", u32(16)).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Complete", sized(u8(1))).is(ReturnCode.SHA_THREAD);
        tpm.send("StirRandom", sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("GetTestResult").is(ReturnCode.SUCCESS);
        tpm.send("SelfTestFull").is(ReturnCode.SUCCESS);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.send("PCR_Reset", PCR_16).is(ReturnCode.SUCCESS);
    }

    private static void useSessionsAndKeys(TestTpm tpm) {
        GuestSession kept = tpm.oiap(OWNER_AUTH);
        int signing = GuestKey.signing().load(tpm);
        GuestSession bound = tpm.osap(EntityType.KEY_HANDLE, signing, USAGE_AUTH);
        for (int i = 0; i < 3; i++) {
            tpm.authorized(bound, true, "Sign", u32(signing), sized(DIGEST)).is(ReturnCode.SUCCESS);
            tpm.authorized(kept, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        }
        tpm.authorized(bound, true, "Quote", u32(signing), DIGEST, PCR_16).is(ReturnCode.SUCCESS);
        tpm.authorized(bound, true, "Quote2", u32(signing), DIGEST, PCR_16, u8(1))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(bound, true, "TickStampBlob", u32(signing), DIGEST, DIGEST)
                .is(ReturnCode.SUCCESS);
        tpm.authorized(bound, false, "GetPubKey", u32(signing)).is(ReturnCode.SUCCESS);
        GuestSession sealing = tpm.osap(EntityType.SRK, 0, SRK_AUTH);
        byte[] sealed = tpm.authorized(
                        sealing,
                        false,
                        "Seal",
                        u32(Handles.SRK),
                        tpm.encrypted(sealing, DATA_AUTH),
                        sized(NOTHING),
                        sized(DIGEST))
                .is(ReturnCode.SUCCESS)
                .parameters();
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(DATA_AUTH), "Unseal", u32(Handles.SRK), sealed)
                .is(ReturnCode.SUCCESS);
        tpm.send("EvictKey", u32(signing)).is(ReturnCode.SUCCESS);
        tpm.send("EvictKey", u32(signing)).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.authorized(kept, false, "CMK_SetRestrictions", u32(0)).is(ReturnCode.SUCCESS);
    }

    private static void useNv(TestTpm tpm) {
        tpm.send("NV_WriteValue", u32(0x1000), u32(1), sized(new byte[] {5, 6})).is(ReturnCode.SUCCESS);
        tpm.send("NV_ReadValue", u32(0x1000), u32(0), u32(4)).is(ReturnCode.SUCCESS);
        byte[] lockable = NvGuest.area(
                0x1001, NvGuest.ANYWHERE, NvGuest.pcr16(new byte[20]), 4, Permission.PPWRITE, Permission.WRITE_STCLEAR);
        tpm.send("NV_DefineSpace", lockable, NvGuest.SECRET).is(ReturnCode.SUCCESS);
        tpm.send("NV_WriteValue", u32(0x1001), u32(0), sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("NV_WriteValue", u32(0x1001), u32(0), sized(NOTHING));
        tpm.send("NV_WriteValue", u32(0x1001), u32(0), sized(u8(2)));
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "DirWriteAuth", u32(0), DIGEST)
                .is(ReturnCode.SUCCESS);
        tpm.send("DirRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(0xD), sized(NOTHING)).is(ReturnCode.SUCCESS);
    }

    private static void keepContextsOutside(TestTpm tpm) {
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        byte[] savedKey = tpm.send("SaveContext", u32(key), u32(KEY), LABEL)
                .is(ReturnCode.SUCCESS)
                .parameters();
        GuestSession session = tpm.oiap(OWNER_AUTH);
        byte[] savedSession = tpm.send("SaveContext", u32(session.handle), u32(AUTH), LABEL)
                .is(ReturnCode.SUCCESS)
                .parameters();
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        tpm.send("LoadContext", u32(0), u8(1), savedKey).is(ReturnCode.SUCCESS);
        tpm.send("Sign", u32(key), sized(DIGEST)).is(ReturnCode.SUCCESS);
        tpm.send("LoadContext", u32(0), u8(1), savedSession).is(ReturnCode.SUCCESS);
        tpm.send("LoadContext", u32(0), u8(1), savedSession).is(ReturnCode.BADCONTEXT);
        tpm.authorized(session, false, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
    }

    private static void countAndAudit(TestTpm tpm) {
        int first = number(counter(tpm), 0);
        int second = number(counter(tpm), 0);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "IncrementCounter", u32(first))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "IncrementCounter", u32(second))
                .is(ReturnCode.BAD_COUNTER);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "IncrementCounter", u32(first))
                .is(ReturnCode.SUCCESS);
        tpm.send("ReadCounter", u32(first)).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "SetOrdinalAuditStatus", u32(0x14), u8(1))
                .is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("GetAuditDigest", u32(0)).is(ReturnCode.SUCCESS);
    }

    private static byte[] counter(TestTpm tpm) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        return tpm.authorized(session, false, "CreateCounter", tpm.encrypted(session, DATA_AUTH), u32(7))
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private static void certify(TestTpm tpm) {
        int certifier = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        tpm.send("CertifyKey", u32(certifier), u32(key), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(certifier), u32(KEY)).is(ReturnCode.SUCCESS);
        tpm.send("CertifyKey", u32(certifier), u32(key), DIGEST).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
    }

    private static void wrap(TestTpm tpm) {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        transport.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        transport.send("PcrRead", u32(16)).is(ReturnCode.SUCCESS);
        transport.sendLast("PCR_Reset", PCR_16).is(ReturnCode.SUCCESS);
    }

    private static void move(TestTpm tpm) {
        byte[] target = concat(GuestOwner.PARMS, sized(modulus()));
        byte[] destination = tpm.authorized(tpm.oiap(OWNER_AUTH), false, "AuthorizeMigrationKey", u16(2), target)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] wrapped = GuestKey.signing()
                .withFlags(GuestKey.MIGRATABLE)
                .create(tpm)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] encData = Arrays.copyOfRange(wrapped, wrapped.length - 256, wrapped.length);
        tpm.authorized(
                        tpm.oiap(SRK_AUTH),
                        tpm.oiap(GuestKey.MIGRATION_AUTH),
                        "CreateMigrationBlob",
                        u32(Handles.SRK),
                        u16(2),
                        destination,
                        sized(encData))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "CMK_ApproveMA", DIGEST).is(ReturnCode.SUCCESS);
    }

    private static byte[] modulus() {
        byte[] modulus = new byte[256];
        Arrays.fill(modulus, (byte) 0xC5);
        return modulus;
    }

    private static void attest(TestTpm tpm) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        tpm.authorized(
                        tpm.oiap(SRK_AUTH),
                        session,
                        "MakeIdentity",
                        tpm.encrypted(session, USAGE_AUTH),
                        DIGEST,
                        GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 2048, NOTHING)
                                .keyInfo())
                .is(ReturnCode.SUCCESS);
        int join = number(join(tpm, 0, 0, u32(1)).is(ReturnCode.SUCCESS).parameters(), 4);
        join(tpm, join, 1, modulus()).is(ReturnCode.SUCCESS);
        join(tpm, join, 3, NOTHING).is(ReturnCode.DAA_STAGE);
        join(tpm, 0, 0, u32(2)).is(ReturnCode.SUCCESS);
    }

    private static TestTpm.Response join(TestTpm tpm, int handle, int stage, byte[] input) {
        return tpm.authorized(
                tpm.oiap(OWNER_AUTH), false, "DAA_Join", u32(handle), u8(stage), sized(input), sized(NOTHING));
    }

    private static void guess(TestTpm tpm) {
        for (int failure = 0; failure < 6; failure++) {
            tpm.authorized(tpm.oiap(WRONG), false, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
        }
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "GetCapabilityOwner").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.authorized(tpm.oiap(WRONG), false, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.clock.addAndGet(3_000_000_000L);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "ResetLockValue").is(ReturnCode.SUCCESS);
    }

    private static void sleep(TestTpm tpm) {
        GuestSession session = tpm.oiap(OWNER_AUTH);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        byte[] resume = tpm.startupCommand(StartupMode.STATE);
        TestTpm.parse(tpm.execute(0, resume)).is(ReturnCode.FAILEDSELFTEST);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
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
