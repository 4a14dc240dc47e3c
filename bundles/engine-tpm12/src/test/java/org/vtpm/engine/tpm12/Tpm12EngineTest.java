package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.vtpm.engine.tpm12.TestTpm.command;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.parse;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.ReturnCode;

class Tpm12EngineTest {
    private static final byte[] DIGEST = Sha1.of(u8(1));

    @Test
    void headersAreChecked() {
        TestTpm tpm = TestTpm.started();
        assertThat(HexFormat.of().formatHex(tpm.execute(0, new byte[0]))).isEqualTo("00c40000000a00000019");
        byte[] wrongSize = command(TestTpm.COMMAND, "GetTestResult");
        wrongSize[5]++;
        parse(tpm.execute(0, wrongSize)).is(ReturnCode.BAD_PARAM_SIZE);
        byte[] unknown = command(TestTpm.COMMAND, "GetTestResult");
        unknown[9] = 1;
        parse(tpm.execute(0, unknown)).is(ReturnCode.BAD_ORDINAL);
        tpm.send(0, 0xC4, "PcrRead", u32(0)).is(ReturnCode.BADTAG);
        tpm.send(0, TestTpm.AUTH1, "PcrRead", u32(0)).is(ReturnCode.BADTAG);
        tpm.send("PcrRead", u16(0)).is(ReturnCode.BAD_PARAM_SIZE);
        tpm.send("PcrRead", u32(0), u8(0)).is(ReturnCode.BAD_PARAM_SIZE);
        tpm.send("SetOwnerInstall", u8(2)).is(ReturnCode.BAD_PARAMETER);
        tpm.send("Init").is(ReturnCode.BAD_ORDINAL);
    }

    @Test
    void onlyStartupRunsBeforeStartup() {
        TestTpm tpm = TestTpm.poweredOn();
        tpm.send("PcrRead", u32(0)).is(ReturnCode.INVALID_POSTINIT);
        tpm.send("GetCapability", u32(6), sized(new byte[0])).is(ReturnCode.INVALID_POSTINIT);
        tpm.send("Startup", u16(4)).is(ReturnCode.BAD_PARAMETER);
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.send("Startup", u16(1)).is(ReturnCode.INVALID_POSTINIT);
    }

    @Test
    void extendHashesTheOldValueWithTheDigest() {
        TestTpm tpm = TestTpm.started();
        byte[] expected = Sha1.of(new byte[20], DIGEST);
        assertThat(tpm.send("Extend", u32(7), DIGEST).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(expected);
        assertThat(tpm.send("PcrRead", u32(7)).parameters()).isEqualTo(expected);
        tpm.send("Extend", u32(24), DIGEST).is(ReturnCode.BADINDEX);
        tpm.send("Extend", u32(-1), DIGEST).is(ReturnCode.BADINDEX);
        tpm.send("Extend", u32(17), DIGEST).is(ReturnCode.BAD_LOCALITY);
    }

    @Test
    void localitiesDecideOverDynamicPcrs() {
        TestTpm tpm = TestTpm.started();
        assertThat(tpm.send("PcrRead", u32(20)).parameters()).containsOnly(0xFF);
        tpm.send(2, TestTpm.COMMAND, "Extend", u32(20), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send(0, TestTpm.COMMAND, "PCR_Reset", u16(3), HexFormat.of().parseHex("000010"))
                .is(ReturnCode.NOTLOCAL);
        tpm.send(2, TestTpm.COMMAND, "PCR_Reset", u16(3), HexFormat.of().parseHex("000010"))
                .is(ReturnCode.SUCCESS);
        assertThat(tpm.send("PcrRead", u32(20)).parameters()).containsOnly(0xFF);
        tpm.send(0, TestTpm.COMMAND, "TSC_ResetEstablishmentBit").is(ReturnCode.BAD_LOCALITY);
        tpm.send(3, TestTpm.COMMAND, "TSC_ResetEstablishmentBit").is(ReturnCode.SUCCESS);
    }

    @Test
    void resetChecksAllPcrsFirst() {
        TestTpm tpm = TestTpm.started();
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("PCR_Reset", u16(3), HexFormat.of().parseHex("010001")).is(ReturnCode.NOTRESETABLE);
        assertThat(tpm.send("PcrRead", u32(16)).parameters()).isEqualTo(Sha1.of(new byte[20], DIGEST));
        tpm.send("PCR_Reset", u16(3), HexFormat.of().parseHex("000001")).is(ReturnCode.SUCCESS);
        assertThat(tpm.send("PcrRead", u32(16)).parameters()).containsOnly(0);
        tpm.send("PCR_Reset", u16(3), new byte[3]).is(ReturnCode.INVALID_PCR_INFO);
        tpm.send("PCR_Reset", u16(4), new byte[4]).is(ReturnCode.INVALID_PCR_INFO);
    }

    @Test
    void saveStateKeepsStaticPcrsForOneResume() {
        TestTpm tpm = TestTpm.started();
        byte[] extended = tpm.send("Extend", u32(3), DIGEST).parameters();
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        assertThat(tpm.send("PcrRead", u32(3)).parameters()).isEqualTo(extended);
        assertThat(tpm.send("PcrRead", u32(16)).parameters()).containsOnly(0);
        tpm.powerCycle();
        tpm.send("Startup", u16(2)).is(ReturnCode.FAILEDSELFTEST);
    }

    @Test
    void anyCommandVoidsTheSavedState() {
        TestTpm tpm = TestTpm.started();
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.send("GetTestResult").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.send("Startup", u16(2)).is(ReturnCode.FAILEDSELFTEST);
    }

    @Test
    void failureModeLeavesOnlyDiagnosis() {
        TestTpm tpm = TestTpm.poweredOn();
        tpm.send("Startup", u16(2)).is(ReturnCode.FAILEDSELFTEST);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.FAILEDSELFTEST);
        tpm.send("GetTestResult").is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(6), sized(new byte[0])).is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(5), sized(u32(0x103))).is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(5), sized(u32(0x101))).is(ReturnCode.FAILEDSELFTEST);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
    }

    @Test
    void damagedSavedStateMeansFailureMode() {
        TestTpm tpm = TestTpm.started();
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        byte[] saved = tpm.stored.get(StateKind.SAVED);
        tpm.stored.put(StateKind.SAVED, Arrays.copyOf(saved, saved.length - 1));
        tpm.powerCycle();
        tpm.send("Startup", u16(2)).is(ReturnCode.FAILEDSELFTEST);
    }

    @Test
    void startupDeactivatedLastsUntilPowerIsCut() {
        TestTpm tpm = TestTpm.poweredOn();
        tpm.startup(StartupMode.DEACTIVATED);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.DEACTIVATED);
        assertThat(tpm.send("Extend", u32(0), DIGEST).is(ReturnCode.SUCCESS).parameters())
                .containsOnly(0);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
    }

    @Test
    void permanentChangesAreStoredBeforeTheAnswer() {
        TestTpm tpm = TestTpm.started();
        tpm.presence();
        tpm.send("PhysicalDisable").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.DISABLED);
    }

    @Test
    void aChangeThatCannotBeStoredIsUndone() {
        TestTpm tpm = TestTpm.started();
        tpm.presence();
        tpm.storeFails = true;
        tpm.send("PhysicalDisable").is(ReturnCode.IOERROR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.storeFails = false;
        tpm.send("PhysicalDisable").is(ReturnCode.SUCCESS);
    }

    @Test
    void nothingIsStoredWhenNothingChanged() {
        TestTpm tpm = TestTpm.started();
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS); // begins an audit session, which is counted
        int stores = tpm.stores;
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(0), DIGEST).is(ReturnCode.SUCCESS);
        assertThat(tpm.stores).isEqualTo(stores);
    }

    @Test
    void operatorAuthDeactivatesForNow() {
        TestTpm tpm = TestTpm.started();
        tpm.authorized(tpm.oiap(DIGEST), false, "SetTempDeactivated").is(ReturnCode.NOOPERATOR);
        tpm.send("SetOperatorAuth", DIGEST).is(ReturnCode.BAD_PRESENCE);
        tpm.presence();
        tpm.send("SetOperatorAuth", DIGEST).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(new byte[20]), false, "SetTempDeactivated").is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(DIGEST), false, "SetTempDeactivated").is(ReturnCode.SUCCESS);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.DEACTIVATED);
    }

    @Test
    void guessingSecretsIsLockedOutForGrowingTimes() {
        TestTpm tpm = TestTpm.started();
        tpm.presence();
        tpm.send("SetOperatorAuth", DIGEST).is(ReturnCode.SUCCESS);
        for (int failure = 0; failure < 6; failure++) {
            tpm.authorized(tpm.oiap(new byte[20]), false, "SetTempDeactivated").is(ReturnCode.AUTHFAIL);
        }
        TestTpm.GuestSession session = tpm.oiap(DIGEST);
        tpm.authorized(session, false, "SetTempDeactivated").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.clock.addAndGet(999_999_999L);
        tpm.authorized(session, false, "SetTempDeactivated").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.clock.addAndGet(1);
        tpm.authorized(session, false, new byte[20], "SetTempDeactivated").is(ReturnCode.AUTHFAIL);
        tpm.clock.addAndGet(1_999_999_999L);
        TestTpm.GuestSession next = tpm.oiap(DIGEST);
        tpm.authorized(next, false, "SetTempDeactivated").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.clock.addAndGet(1);
        tpm.authorized(next, false, "SetTempDeactivated").is(ReturnCode.SUCCESS);
    }

    @Test
    void aFatalErrorEndsTheSessionOthersDoNot() {
        TestTpm tpm = TestTpm.started();
        TestTpm.GuestSession session = tpm.oiap(DIGEST);
        tpm.authorized(session, true, "SetTempDeactivated").is(ReturnCode.NOOPERATOR);
        tpm.send("Terminate_Handle", u32(session.handle)).is(ReturnCode.INVALID_AUTHHANDLE);
        TestTpm.GuestSession other = tpm.oiap(DIGEST);
        tpm.send(0, TestTpm.AUTH1, "PcrRead", u32(0), u32(other.handle)).is(ReturnCode.BADTAG);
        tpm.send("Terminate_Handle", u32(other.handle)).is(ReturnCode.SUCCESS);
    }

    @Test
    void sessionsAreLimited() {
        TestTpm tpm = TestTpm.started();
        for (int i = 0; i < 16; i++) {
            tpm.oiap(DIGEST);
        }
        tpm.send("OIAP").is(ReturnCode.RESOURCES);
    }

    @Test
    void sha1ThreadEndsWithAnyOtherCommand() {
        TestTpm tpm = TestTpm.started();
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[64])).is(ReturnCode.SUCCESS);
        assertThat(tpm.send("SHA1Complete", sized(DIGEST)).parameters()).isEqualTo(Sha1.of(new byte[64], DIGEST));
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("GetTestResult").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[64])).is(ReturnCode.SHA_THREAD);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[63])).is(ReturnCode.SHA_ERROR);
        tpm.send("SHA1Complete", sized(DIGEST)).is(ReturnCode.SHA_THREAD);
    }

    @Test
    void sha1CompleteExtendMeasuresTheHash() {
        TestTpm tpm = TestTpm.started();
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        byte[] hash = Sha1.of(DIGEST);
        assertThat(tpm.send("SHA1CompleteExtend", u32(4), sized(DIGEST)).parameters())
                .isEqualTo(concat(hash, Sha1.of(new byte[20], hash)));
    }

    @Test
    void capabilitiesSayWhatWorks() {
        TestTpm tpm = TestTpm.started();
        assertThat(tpm.send("GetCapability", u32(1), sized(u32(0x14))).hex()).isEqualTo("0000000101");
        assertThat(tpm.send("GetCapability", u32(1), sized(u32(0xAA))).hex()).isEqualTo("0000000100");
        assertThat(tpm.send("GetCapability", u32(5), sized(u32(0x101))).hex()).isEqualTo("0000000400000018");
        assertThat(tpm.send("GetCapability", u32(4), sized(u32(0x109))).hex()).isEqualTo("0000000700200000000000");
        tpm.send("GetCapability", u32(5), sized(u32(0x100))).is(ReturnCode.BAD_MODE);
        tpm.send("GetCapability", u32(0x77), sized(u32(0))).is(ReturnCode.BAD_MODE);
        byte[] aes = GuestOwner.PARMS.clone();
        aes[3] = 6;
        assertThat(tpm.send("GetCapability", u32(8), sized(GuestOwner.PARMS)).hex())
                .isEqualTo("0000000101");
        tpm.send("GetCapability", u32(8), sized(aes)).is(ReturnCode.BAD_KEY_PROPERTY);
        assertThat(tpm.send("GetCapability", u32(8), sized(new byte[12])).hex()).isEqualTo("0000000100");
    }

    @Test
    void lengthsBeyondTheRequestAreRefused() {
        TestTpm tpm = TestTpm.started();
        for (int length : new int[] {5, 0x7FFFFFFF, 0x80000000, -1}) {
            tpm.send("GetCapability", u32(5), u32(length), u32(0x101)).is(ReturnCode.BAD_PARAM_SIZE);
        }
    }

    @Test
    void randomBytesFitTheBuffer() {
        TestTpm tpm = TestTpm.started();
        assertThat(tpm.send("GetRandom", u32(32)).parameters()).hasSize(36);
        assertThat(tpm.send("GetRandom", u32(-1)).parameters()).hasSize(4086);
        tpm.send("StirRandom", sized(DIGEST)).is(ReturnCode.SUCCESS);
    }

    @Test
    void stateThatIsNotItsOwnIsRefused() {
        Tpm12EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);
        byte[] good = factory.manufacture(false);
        byte[] newer = good.clone();
        newer[6]++;
        byte[] foreign = good.clone();
        foreign[0]++;
        assertRefused(factory, Map.of(), "missing");
        assertRefused(factory, Map.of(StateKind.PERMANENT, newer), "version 4");
        assertRefused(factory, Map.of(StateKind.PERMANENT, foreign), "not the permanent state");
        assertRefused(factory, Map.of(StateKind.PERMANENT, concat(good, u8(0))), "damaged");
        assertRefused(factory, Map.of(StateKind.PERMANENT, Arrays.copyOf(good, good.length - 1)), "damaged");
        assertRefused(factory, Map.of(StateKind.PERMANENT, good, StateKind.VOLATILE, good), "volatile");
    }

    private static void assertRefused(Tpm12EngineFactory factory, Map<StateKind, byte[]> state, String why) {
        assertThatExceptionOfType(EngineStateException.class)
                .isThrownBy(() -> factory.open(state))
                .withMessageContaining(why);
    }
}
