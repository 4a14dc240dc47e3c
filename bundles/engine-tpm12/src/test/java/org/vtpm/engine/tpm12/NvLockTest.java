package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.NvGuest.ANYWHERE;
import static org.vtpm.engine.tpm12.NvGuest.DATA;
import static org.vtpm.engine.tpm12.NvGuest.INDEX;
import static org.vtpm.engine.tpm12.NvGuest.SIZE;
import static org.vtpm.engine.tpm12.NvGuest.area;
import static org.vtpm.engine.tpm12.NvGuest.contents;
import static org.vtpm.engine.tpm12.NvGuest.pcr16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;

/** The locks of NV areas: what sets them, what they keep out, what releases them (TPM Main Part 2, section 19.2). */
class NvLockTest {
    private static final byte[] NOTHING = {};

    /** Offset of the locks in the answer to TPM_GetCapability(TPM_CAP_NV_INDEX): its size, and what is before them. */
    private static final int LOCKS = 4 + 2 + 4 + 26 + 26 + 6;

    private final NvGuest guest = NvGuest.locked();

    @Test
    void anAreaIsLockedForGoodByWritingNothing() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.WRITEDEFINE)
                .is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 1000, NOTHING).is(ReturnCode.SUCCESS);
        shows(false, true, true);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.ownerWrite(INDEX, 0, NOTHING).is(ReturnCode.AREA_LOCKED);
        boot();
        shows(false, false, true);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        contents(guest.read(INDEX, 0, SIZE), DATA);
        // Its owner may still do away with it.
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.WRITEDEFINE)
                .is(ReturnCode.SUCCESS);
        shows(false, false, false);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
    }

    @Test
    void anAreaIsLockedUntilTheNextStartByWritingNothing() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.WRITE_STCLEAR)
                .is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.ownerDefine(INDEX, 0).is(ReturnCode.AREA_LOCKED);
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.AREA_LOCKED);
        resume();
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        boot();
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX, 0).is(ReturnCode.SUCCESS);
    }

    @Test
    void indexZeroLocksAllAreasThatAskForItUntilTheNextStart() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.GLOBALLOCK)
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX + 1, SIZE, Permission.AUTHWRITE, Permission.GLOBALLOCK)
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX + 2, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.write(NvIndex.GLOBAL_LOCK, 0, DATA).is(ReturnCode.BADINDEX);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.write(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.authWrite(INDEX + 1, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.ownerWrite(INDEX + 2, 0, DATA).is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX, 0).is(ReturnCode.AREA_LOCKED);
        resume();
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        boot();
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.ownerWrite(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.read(NvIndex.GLOBAL_LOCK, 0, 0).is(ReturnCode.BADINDEX);
    }

    @Test
    void anAreaIsHiddenByReadingNothingUntilItIsWrittenOrTheNextStart() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.READ_STCLEAR)
                .is(ReturnCode.SUCCESS);
        hide();
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, SIZE), DATA);
        hide();
        guest.ownerWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, SIZE), DATA);
        hide();
        resume();
        guest.read(INDEX, 0, SIZE).is(ReturnCode.DISABLED_CMD);
        boot();
        contents(guest.read(INDEX, 0, SIZE), DATA);
    }

    private void hide() {
        contents(guest.read(INDEX, 9, 0), NOTHING);
        guest.read(INDEX, 0, SIZE).is(ReturnCode.DISABLED_CMD);
        guest.read(INDEX, 0, 0).is(ReturnCode.DISABLED_CMD);
    }

    @Test
    void locksWithoutTheirAttributeKeepNobodyOut() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, 0), NOTHING);
        shows(true, true, true);
        guest.write(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, SIZE), new byte[] {-1, -1, -1, -1});
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX, 0).is(ReturnCode.SUCCESS);
    }

    @Test
    void aRefusedCommandSetsNoLock() {
        guest.ownerDefine(INDEX, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD)
                .is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, NOTHING).is(ReturnCode.AUTH_CONFLICT);
        guest.read(INDEX, 0, 0).is(ReturnCode.AUTH_CONFLICT);
        shows(false, false, false);
        guest.authWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.authRead(INDEX, 0, 0), NOTHING);
        shows(true, true, true);
        guest.authWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        shows(false, true, true);
    }

    /** Sections 20.2 and 20.4 look at the locks first, sections 20.3 and 20.5 at the PCRs. */
    @Test
    void locksAndPcrsAreCheckedInTheOrderOfEachCommand() {
        guest.ownerDefine(area(
                        INDEX,
                        pcr16(new byte[20]),
                        pcr16(new byte[20]),
                        SIZE,
                        Permission.OWNERWRITE,
                        Permission.WRITE_STCLEAR,
                        Permission.READ_STCLEAR))
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(area(
                        INDEX + 1,
                        pcr16(new byte[20]),
                        pcr16(new byte[20]),
                        SIZE,
                        Permission.AUTHWRITE,
                        Permission.AUTHREAD,
                        Permission.WRITE_STCLEAR,
                        Permission.READ_STCLEAR))
                .is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX + 1, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, 0), NOTHING);
        contents(guest.authRead(INDEX + 1, 0, 0), NOTHING);
        guest.authWrite(INDEX + 1, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.authRead(INDEX + 1, 0, SIZE).is(ReturnCode.DISABLED_CMD);

        guest.tpm.send("Extend", u32(16), new byte[20]).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        guest.read(INDEX, 0, SIZE).is(ReturnCode.DISABLED_CMD);
        guest.authWrite(INDEX + 1, 0, DATA).is(ReturnCode.WRONGPCRVAL);
        guest.authRead(INDEX + 1, 0, SIZE).is(ReturnCode.WRONGPCRVAL);
    }

    /** What TPM_CAP_NV_INDEX tells of the locks. */
    private void shows(boolean read, boolean write, boolean define) {
        byte[] shown = guest.shown(INDEX).is(ReturnCode.SUCCESS).parameters();
        assertThat(shown).startsWith(TestTpm.concat(u32(shown.length - 4), TestTpm.u16(0x18), u32(INDEX), ANYWHERE));
        assertThat(new boolean[] {shown[LOCKS] != 0, shown[LOCKS + 1] != 0, shown[LOCKS + 2] != 0})
                .as("bReadSTClear, bWriteSTClear, bWriteDefine")
                .containsExactly(read, write, define);
    }

    private void boot() {
        guest.tpm.powerCycle();
        guest.tpm.startup(StartupMode.CLEAR);
    }

    private void resume() {
        guest.tpm.send("SaveState").is(ReturnCode.SUCCESS);
        guest.tpm.powerCycle();
        guest.tpm.startup(StartupMode.STATE);
    }
}
