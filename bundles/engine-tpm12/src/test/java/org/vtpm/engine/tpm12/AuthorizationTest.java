package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ReturnCode;

class AuthorizationTest {
    private static final byte[] OWNER = Sha1.of(u8(1));
    private static final byte[] SRK = Sha1.of(u8(2));
    private static final byte[] AREA = Sha1.of(u8(3));
    private static final byte[] WRONG = new byte[20];
    private static final int NV_INDEX = 0x1100;

    private final TestTpm tpm = TestTpm.started(owned());

    @Test
    void aResetEndsAllSessions() {
        GuestSession session = tpm.oiap(new byte[20]);
        tpm.send("Reset").is(ReturnCode.SUCCESS);
        tpm.authorized(session, false, "OwnerReadPubek").is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.send("Terminate_Handle", u32(session.handle)).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void anOiapSessionServesAnyEntityAndGoesOnIfAskedTo() {
        GuestSession session = tpm.oiap(OWNER);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.authorized(session, false, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.authorized(session, false, "GetCapabilityOwner").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void anOldNonceIsRefused() {
        GuestSession session = tpm.oiap(OWNER);
        byte[] first = session.nonceEven;
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        session.nonceEven = first;
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
    }

    @Test
    void anOsapSessionServesItsEntityOnly() {
        GuestSession owner = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER);
        tpm.authorized(owner, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        GuestSession sameSecretOtherEntity = tpm.osap(EntityType.SRK, Handles.SRK, SRK);
        tpm.authorized(sameSecretOtherEntity, true, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
        GuestSession nv = tpm.osap(EntityType.NV, NV_INDEX, AREA);
        tpm.authorized(nv, true, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
    }

    @Test
    void osapNamesWhatItCannotBindTo() {
        byte[] nonce = new byte[20];
        tpm.send("OSAP", u16(EntityType.NV), u32(7), nonce).is(ReturnCode.BADINDEX);
        tpm.send("OSAP", u16(EntityType.KEY_HANDLE), u32(7), nonce).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.send("OSAP", u16(EntityType.KEY_HANDLE), u32(Handles.EK), nonce).is(ReturnCode.KEYNOTFOUND);
        tpm.send("OSAP", u16(EntityType.KEY_HANDLE), u32(Handles.OPERATOR), nonce)
                .is(ReturnCode.BAD_HANDLE);
        tpm.send("OSAP", u16(0xFF04), u32(0), nonce).is(ReturnCode.INAPPROPRIATE_ENC);
        tpm.send("OSAP", u16(0x0604), u32(0), nonce).is(ReturnCode.SUCCESS);
        TestTpm.started().send("OSAP", u16(EntityType.SRK), u32(0), nonce).is(ReturnCode.NOSRK);
    }

    @Test
    void withoutOwnerThereIsNoOwnerAuthorisation() {
        TestTpm unowned = TestTpm.started();
        unowned.authorized(unowned.oiap(new byte[20]), false, "GetCapabilityOwner")
                .is(ReturnCode.NOSRK);
        byte[] change = concat(u32(1), sized(u32(4)), sized(u8(1)));
        unowned.authorized(unowned.oiap(new byte[20]), false, "SetCapability", change)
                .is(ReturnCode.AUTHFAIL);
        unowned.send(0, TestTpm.AUTH1, "SetCapability", change, new byte[4 + 20 + 1 + 20])
                .is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void theOwnerResetsTheLockout() {
        lockOut();
        tpm.authorized(tpm.oiap(OWNER), false, "GetCapabilityOwner").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.authorized(tpm.oiap(OWNER), false, "ResetLockValue").is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER), false, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
    }

    @Test
    void oneWrongResetRulesOutMoreUntilTheLockoutEnds() {
        lockOut();
        tpm.authorized(tpm.oiap(WRONG), false, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(OWNER), false, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.clock.addAndGet(2_000_000_000L);
        tpm.authorized(tpm.oiap(OWNER), false, "ResetLockValue").is(ReturnCode.SUCCESS);
    }

    @Test
    void theNextLockoutCanBeResetAgain() {
        lockOut();
        tpm.authorized(tpm.oiap(WRONG), false, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.clock.addAndGet(2_000_000_000L);
        tpm.authorized(tpm.oiap(WRONG), false, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(OWNER), false, "GetCapabilityOwner").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.authorized(tpm.oiap(OWNER), false, "ResetLockValue").is(ReturnCode.SUCCESS);
    }

    @Test
    void theLockoutSurvivesSaveStateButNotAClearStart() {
        lockOut();
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.clock.addAndGet(3_600_000_000_000L);
        tpm.startup(StartupMode.STATE);
        tpm.authorized(tpm.oiap(OWNER), false, "GetCapabilityOwner").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.authorized(tpm.oiap(OWNER), false, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
    }

    @Test
    void sessionsSurviveSaveState() {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        tpm.authorized(session, false, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
    }

    @Test
    void theOwnerDisablesAndEnables() {
        tpm.authorized(tpm.oiap(OWNER), false, "OwnerSetDisable", u8(1)).is(ReturnCode.SUCCESS);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.DISABLED);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.DISABLED);
        tpm.authorized(tpm.oiap(OWNER), false, "OwnerSetDisable", u8(0)).is(ReturnCode.SUCCESS);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
    }

    @Test
    void theDictionaryAttackStateIsReported() {
        assertThat(tpm.send("GetCapability", u32(0x19), TestTpm.sized(u16(2))).hex())
                .isEqualTo(
                        "00000015" + "0037" + "00" + "0000" + "0005" + "0039" + "00000001" + "00000000" + "00000000");
        lockOut();
        assertThat(tpm.send("GetCapability", u32(0x19), TestTpm.sized(u16(2))).hex())
                .isEqualTo(
                        "00000015" + "0037" + "01" + "0006" + "0005" + "0039" + "00000001" + "00000001" + "00000000");
    }

    private void lockOut() {
        for (int failure = 0; failure < 6; failure++) {
            tpm.authorized(tpm.oiap(WRONG), false, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
        }
    }

    /** A TPM with an owner, whose keys no test computes with, and one NV area. */
    private static PermanentState owned() {
        PcrInfoShort anyPcr =
                new PcrInfoShort(new PcrSelection(new byte[3]), PcrInfoShort.ALL_LOCALITIES, new byte[20]);
        NvArea area = new NvArea(
                new NvDataPublic(NV_INDEX, anyPcr, anyPcr, new NvAttributes(4), false, false, false, 2),
                AREA.clone(),
                new byte[2]);
        return PermanentState.factory(null)
                .withOwner(TestOwner.with(OWNER, SRK))
                .withNvAreas(List.of(area));
    }
}
