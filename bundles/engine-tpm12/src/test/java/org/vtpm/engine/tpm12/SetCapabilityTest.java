package org.vtpm.engine.tpm12;

import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import org.junit.jupiter.api.Test;
import org.vtpm.tpm12.structure.ReturnCode;

class SetCapabilityTest {
    private static final int PERM_FLAGS = 1;
    private static final int STCLEAR_FLAGS = 3;
    private static final int STANY_FLAGS = 5;

    private static final int OWNERSHIP = 2;
    private static final int DISABLE_OWNER_CLEAR = 5;
    private static final int READ_SRK_PUB = 17;
    private static final int DISABLE_FULL_DA_LOGIC_INFO = 20;
    private static final int DISABLE_FORCE_CLEAR = 2;
    private static final int TOS_PRESENT = 4;

    private final TestTpm tpm = TestTpm.started();

    @Test
    void formComesBeforeAuthorizationAndBothBeforeTheMode() {
        tpm.presence();
        tpm.send("PhysicalDisable").is(ReturnCode.SUCCESS);
        set(PERM_FLAGS, READ_SRK_PUB, u8(2)).is(ReturnCode.BAD_PARAMETER);
        set(PERM_FLAGS, READ_SRK_PUB, u8(1)).is(ReturnCode.AUTHFAIL);
        set(PERM_FLAGS, OWNERSHIP, u8(1)).is(ReturnCode.DISABLED);
        set(STCLEAR_FLAGS, DISABLE_FORCE_CLEAR, u16(1)).is(ReturnCode.BAD_PARAMETER);
        set(STCLEAR_FLAGS, DISABLE_FORCE_CLEAR, u8(1)).is(ReturnCode.DISABLED);
        set(STANY_FLAGS, TOS_PRESENT, u8(0)).is(ReturnCode.BAD_LOCALITY);
        tpm.send("TSC_PhysicalPresence", u16(0x10)).is(ReturnCode.SUCCESS);
        set(PERM_FLAGS, OWNERSHIP, u8(1)).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void whoeverIsThereChangesWhatIsHis() {
        set(PERM_FLAGS, OWNERSHIP, u8(0)).is(ReturnCode.AUTHFAIL);
        tpm.presence();
        set(PERM_FLAGS, OWNERSHIP, u8(0)).is(ReturnCode.SUCCESS);
        set(STCLEAR_FLAGS, DISABLE_FORCE_CLEAR, u8(0)).is(ReturnCode.BAD_PARAMETER);
        set(STCLEAR_FLAGS, DISABLE_FORCE_CLEAR, u8(1)).is(ReturnCode.SUCCESS);
        tpm.send("ForceClear").is(ReturnCode.CLEAR_DISABLED);
    }

    @Test
    void theOwnerChangesWhatIsHisAlsoWhileDisabled() {
        GuestOwner.withNewEk(tpm).takeOwnership();
        tpm.presence();
        tpm.send("PhysicalDisable").is(ReturnCode.SUCCESS);
        setByOwner(PERM_FLAGS, DISABLE_FULL_DA_LOGIC_INFO, u8(1)).is(ReturnCode.SUCCESS);
        setByOwner(PERM_FLAGS, READ_SRK_PUB, u8(1)).is(ReturnCode.DISABLED);
        setByOwner(PERM_FLAGS, DISABLE_OWNER_CLEAR, u8(0)).is(ReturnCode.BAD_PARAMETER);
        setByOwner(PERM_FLAGS, DISABLE_OWNER_CLEAR, u8(1)).is(ReturnCode.DISABLED);
        setByOwner(PERM_FLAGS, OWNERSHIP, u8(1)).is(ReturnCode.OWNER_SET);
    }

    private TestTpm.Response setByOwner(int area, int field, byte[] value) {
        return tpm.authorized(
                tpm.oiap(GuestOwner.OWNER_AUTH), false, "SetCapability", u32(area), sized(u32(field)), sized(value));
    }

    private TestTpm.Response set(int area, int field, byte[] value) {
        return tpm.send("SetCapability", u32(area), sized(u32(field)), sized(value));
    }
}
