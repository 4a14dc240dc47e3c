package org.vtpm.engine.tpm12;

import static org.vtpm.engine.tpm12.NvGuest.DATA;
import static org.vtpm.engine.tpm12.NvGuest.INDEX;
import static org.vtpm.engine.tpm12.NvGuest.SIZE;
import static org.vtpm.engine.tpm12.NvGuest.area;
import static org.vtpm.engine.tpm12.NvGuest.contents;
import static org.vtpm.engine.tpm12.NvGuest.localities;
import static org.vtpm.engine.tpm12.NvGuest.pcr16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import org.junit.jupiter.api.Test;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;

/** NV while nvLocked is FALSE, and the few changes that nobody has to authorise. */
class NvUnlockedTest {
    private static final byte[] NOTHING = {};

    /** PCR 16 never has this value. */
    private static final byte[] NEVER = pcr16(Sha1.of(u32(1)));

    private static final byte[] ELSEWHERE = localities(0x02);
    private static final int BUDGET = 64;

    @Test
    void onlyTheSecretOfAnAreaIsAskedFor() {
        NvGuest guest = NvGuest.withOwner();
        guest.define(area(
                        INDEX,
                        NEVER,
                        ELSEWHERE,
                        SIZE,
                        Permission.OWNERWRITE,
                        Permission.OWNERREAD,
                        Permission.PPWRITE,
                        Permission.PPREAD,
                        Permission.WRITEDEFINE,
                        Permission.WRITE_STCLEAR,
                        Permission.GLOBALLOCK,
                        Permission.READ_STCLEAR))
                .is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, 0), NOTHING);
        guest.write(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.tpm.presence();
        guest.tpm.send("PhysicalDisable").is(ReturnCode.SUCCESS);
        guest.absence();
        contents(guest.read(INDEX, 0, 0), NOTHING);
        guest.write(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, SIZE), DATA);
        guest.define(INDEX, 0).is(ReturnCode.SUCCESS);

        guest.define(INDEX, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD).is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, DATA).is(ReturnCode.AUTH_CONFLICT);
        guest.read(INDEX, 0, SIZE).is(ReturnCode.AUTH_CONFLICT);
    }

    @Test
    void anAuthorisationThatIsGivenIsChecked() {
        NvGuest guest = NvGuest.withOwner();
        guest.define(INDEX, SIZE, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.AUTH_CONFLICT);
        guest.ownerRead(INDEX, 0, SIZE).is(ReturnCode.AUTH_CONFLICT);
        guest.define(INDEX, SIZE, Permission.OWNERWRITE, Permission.OWNERREAD).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        contents(guest.ownerRead(INDEX, 0, SIZE), DATA);
        var wrong = guest.tpm.oiap(NvGuest.WRONG);
        guest.tpm
                .authorized(wrong, false, "NV_WriteValue", u32(INDEX), u32(0), TestTpm.sized(DATA))
                .is(ReturnCode.AUTHFAIL);
    }

    /** Sections 20.3 and 20.5 make no exception. */
    @Test
    void commandsWithTheAreasSecretMakeAllChecks() {
        NvGuest guest = NvGuest.withOwner();
        guest.define(area(INDEX, NEVER, NEVER, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD))
                .is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.WRONGPCRVAL);
        guest.authRead(INDEX, 0, SIZE).is(ReturnCode.WRONGPCRVAL);
        guest.define(area(INDEX, ELSEWHERE, ELSEWHERE, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD))
                .is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.BAD_LOCALITY);
        guest.authRead(INDEX, 0, SIZE).is(ReturnCode.BAD_LOCALITY);
        guest.define(INDEX, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD, Permission.PPWRITE, Permission.PPREAD)
                .is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.BAD_PRESENCE);
        guest.authRead(INDEX, 0, SIZE).is(ReturnCode.BAD_PRESENCE);
        guest.define(
                        INDEX,
                        SIZE,
                        Permission.AUTHWRITE,
                        Permission.AUTHREAD,
                        Permission.WRITEDEFINE,
                        Permission.READ_STCLEAR)
                .is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.AREA_LOCKED);
        contents(guest.authRead(INDEX, 0, 0), NOTHING);
        guest.authRead(INDEX, 0, SIZE).is(ReturnCode.DISABLED_CMD);
    }

    @Test
    void definitionsAndDeletionsThatNobodyAuthorisesAreCounted() {
        NvGuest guest = NvGuest.atTheFactory();
        for (int change = 0; change < BUDGET; change += 2) {
            guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
            guest.define(INDEX, 0).is(ReturnCode.SUCCESS);
        }
        guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.MAXNVWRITES);
        guest.write(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.MAXNVWRITES);
        // Locking NV is no change of an area.
        guest.lock();
    }

    @Test
    void whatChangesNoAreaIsNotCounted() {
        NvGuest guest = NvGuest.atTheFactory();
        guest.define(INDEX, SIZE, Permission.OWNERWRITE, Permission.WRITEALL).is(ReturnCode.SUCCESS);
        for (int change = 0; change < BUDGET; change++) {
            guest.define(NvIndex.TRIAL, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
            guest.define(INDEX, SIZE).is(ReturnCode.PER_NOWRITE);
            guest.write(INDEX, 0, NOTHING).is(ReturnCode.SUCCESS);
            guest.write(INDEX, 0, new byte[1]).is(ReturnCode.NOT_FULLWRITE);
            guest.write(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.SUCCESS);
            guest.read(INDEX, 0, SIZE).is(ReturnCode.SUCCESS);
        }
        writeUntilTheBudgetEnds(guest, BUDGET - 1);
    }

    @Test
    void clearingTheOwnerGivesTheBudgetBack() {
        NvGuest guest = NvGuest.atTheFactory();
        guest.define(INDEX, SIZE, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        writeUntilTheBudgetEnds(guest, BUDGET - 1);
        guest.tpm.presence();
        guest.tpm.send("ForceClear").is(ReturnCode.SUCCESS);
        guest.tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        writeUntilTheBudgetEnds(guest, BUDGET);
    }

    @Test
    void anOwnerDoesNotLiftTheLimitOfDefinitionsThatNobodyAuthorises() {
        NvGuest guest = NvGuest.withOwner();
        for (int change = 0; change < BUDGET; change++) {
            guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        }
        guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.MAXNVWRITES);
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
    }

    private static void writeUntilTheBudgetEnds(NvGuest guest, int budget) {
        for (int change = 0; change < budget; change++) {
            guest.write(INDEX, 0, u32(change)).is(ReturnCode.SUCCESS);
        }
        guest.write(INDEX, 0, DATA).is(ReturnCode.MAXNVWRITES);
        contents(guest.read(INDEX, 0, SIZE), u32(budget - 1));
    }
}
