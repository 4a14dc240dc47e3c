package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.NvGuest.DATA;
import static org.vtpm.engine.tpm12.NvGuest.INDEX;
import static org.vtpm.engine.tpm12.NvGuest.SIZE;
import static org.vtpm.engine.tpm12.NvGuest.area;
import static org.vtpm.engine.tpm12.NvGuest.contents;
import static org.vtpm.engine.tpm12.NvGuest.localities;
import static org.vtpm.engine.tpm12.NvGuest.pcr16;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.ReturnCode;

/** Who may read and write an NV area while NV is locked (TPM Main Part 3, sections 20.2 to 20.5). */
class NvAccessTest {
    private static final byte[] NOTHING = {};
    private static final byte[] EXTENSION = Sha1.of(u32(77));
    private static final byte[] EXTENDED = Sha1.of(new byte[20], EXTENSION);

    private final NvGuest guest = NvGuest.locked();

    /** Every pair of attributes with which an area can be made. */
    static Stream<Arguments> pairs() {
        return NvDefinitionTest.pairs().filter(pair -> {
            Set<Permission> both = both((Permission) pair.get()[0], (Permission) pair.get()[1]);
            boolean conflict = both.containsAll(Set.of(Permission.OWNERWRITE, Permission.AUTHWRITE))
                    || both.containsAll(Set.of(Permission.OWNERREAD, Permission.AUTHREAD));
            return !conflict
                    && (both.contains(Permission.OWNERWRITE)
                            || both.contains(Permission.AUTHWRITE)
                            || both.contains(Permission.WRITEDEFINE)
                            || both.contains(Permission.PPWRITE));
        });
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void attributesSayWhoWritesAndReads(Permission one, Permission other) {
        Set<Permission> both = both(one, other);
        guest.ownerDefine(INDEX, SIZE, one, other).is(ReturnCode.SUCCESS);
        for (boolean present : new boolean[] {false, true}) {
            if (present) {
                guest.tpm.presence();
            }
            ReturnCode write =
                    both.contains(Permission.PPWRITE) && !present ? ReturnCode.BAD_PRESENCE : ReturnCode.SUCCESS;
            boolean owner = both.contains(Permission.OWNERWRITE);
            boolean auth = both.contains(Permission.AUTHWRITE);
            guest.write(INDEX, 0, DATA).is(owner || auth ? ReturnCode.AUTH_CONFLICT : write);
            guest.ownerWrite(INDEX, 0, DATA).is(owner ? write : ReturnCode.AUTH_CONFLICT);
            guest.authWrite(INDEX, 0, DATA).is(auth ? write : ReturnCode.AUTH_CONFLICT);

            ReturnCode read =
                    both.contains(Permission.PPREAD) && !present ? ReturnCode.BAD_PRESENCE : ReturnCode.SUCCESS;
            owner = both.contains(Permission.OWNERREAD);
            auth = both.contains(Permission.AUTHREAD);
            guest.read(INDEX, 0, SIZE).is(owner || auth ? ReturnCode.AUTH_CONFLICT : read);
            guest.ownerRead(INDEX, 0, SIZE).is(owner ? read : ReturnCode.AUTH_CONFLICT);
            guest.authRead(INDEX, 0, SIZE).is(auth ? read : ReturnCode.AUTH_CONFLICT);
        }
    }

    @Test
    void wrongSecretsAreRefused() {
        guest.ownerDefine(INDEX, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD)
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX + 1, SIZE, Permission.OWNERWRITE, Permission.OWNERREAD)
                .is(ReturnCode.SUCCESS);
        var tpm = guest.tpm;
        for (int nvIndex : new int[] {INDEX, INDEX + 1}) {
            String auth = nvIndex == INDEX ? "Auth" : "";
            tpm.authorized(tpm.oiap(NvGuest.WRONG), false, "NV_WriteValue" + auth, u32(nvIndex), u32(0), sized(DATA))
                    .is(ReturnCode.AUTHFAIL);
            tpm.authorized(tpm.oiap(NvGuest.WRONG), false, "NV_ReadValue" + auth, u32(nvIndex), u32(0), u32(SIZE))
                    .is(ReturnCode.AUTHFAIL);
        }
        contents(guest.ownerRead(INDEX + 1, 0, SIZE), new byte[] {-1, -1, -1, -1});
    }

    @Test
    void writesStayWithinTheArea() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 1, new byte[] {1, 2}).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 3, new byte[] {3}).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 4, new byte[] {4}).is(ReturnCode.NOSPACE);
        guest.ownerWrite(INDEX, 0, new byte[5]).is(ReturnCode.NOSPACE);
        contents(guest.read(INDEX, 0, SIZE), new byte[] {-1, 1, 2, 3});
        contents(guest.read(INDEX, 3, 1), new byte[] {3});
        guest.read(INDEX, 4, 1).is(ReturnCode.NOSPACE);
        guest.read(INDEX, 0, 5).is(ReturnCode.NOSPACE);
    }

    /** A guest can stop swtpm with such an offset. */
    @ParameterizedTest
    @ValueSource(ints = {-1, -4, -16, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void offsetsWhoseSumOverflowsAreOutside(int offset) {
        guest.ownerDefine(INDEX, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD)
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX + 1, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, offset, new byte[33]).is(ReturnCode.NOSPACE);
        guest.authRead(INDEX, offset, 33).is(ReturnCode.NOSPACE);
        guest.authRead(INDEX, 0, offset).is(ReturnCode.NOSPACE);
        guest.ownerWrite(INDEX + 1, offset, DATA).is(ReturnCode.NOSPACE);
        guest.read(INDEX + 1, offset, 33).is(ReturnCode.NOSPACE);
        guest.read(INDEX + 1, 1, offset).is(ReturnCode.NOSPACE);
        contents(guest.read(INDEX + 1, 0, SIZE), new byte[] {-1, -1, -1, -1});
    }

    @Test
    void someAreasAreWrittenAsAWhole() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.WRITEALL)
                .is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, new byte[SIZE - 1]).is(ReturnCode.NOT_FULLWRITE);
        guest.ownerWrite(INDEX, 1, DATA).is(ReturnCode.NOSPACE);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 1, 2), new byte[] {2, 3});
    }

    @Test
    void localitiesLimitReadingAndWriting() {
        guest.ownerDefine(area(INDEX, localities(0x04), localities(0x02), SIZE)).is(ReturnCode.SUCCESS);
        for (int locality = 0; locality < 5; locality++) {
            guest.tpm
                    .send(locality, TestTpm.COMMAND, "NV_WriteValue", u32(INDEX), u32(0), sized(DATA))
                    .is(locality == 1 ? ReturnCode.SUCCESS : ReturnCode.BAD_LOCALITY);
            guest.tpm
                    .send(locality, TestTpm.COMMAND, "NV_ReadValue", u32(INDEX), u32(0), u32(SIZE))
                    .is(locality == 2 ? ReturnCode.SUCCESS : ReturnCode.BAD_LOCALITY);
        }
        guest.ownerDefine(area(
                        INDEX, localities(0x04), localities(0x02), SIZE, Permission.AUTHREAD, Permission.AUTHWRITE))
                .is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.BAD_LOCALITY);
        guest.authRead(INDEX, 0, SIZE).is(ReturnCode.BAD_LOCALITY);
    }

    @Test
    void pcrsLimitReadingAndWriting() {
        guest.ownerDefine(area(INDEX, pcr16(EXTENDED), pcr16(new byte[20]), SIZE, Permission.WRITEDEFINE))
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(area(
                        INDEX + 1,
                        pcr16(EXTENDED),
                        pcr16(new byte[20]),
                        SIZE,
                        Permission.AUTHWRITE,
                        Permission.AUTHREAD))
                .is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.read(INDEX, 0, SIZE).is(ReturnCode.WRONGPCRVAL);
        guest.authWrite(INDEX + 1, 0, DATA).is(ReturnCode.SUCCESS);
        guest.authRead(INDEX + 1, 0, SIZE).is(ReturnCode.WRONGPCRVAL);
        guest.tpm.send("Extend", u32(16), EXTENSION).is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, DATA).is(ReturnCode.WRONGPCRVAL);
        contents(guest.read(INDEX, 0, SIZE), DATA);
        guest.authWrite(INDEX + 1, 0, DATA).is(ReturnCode.WRONGPCRVAL);
        contents(guest.authRead(INDEX + 1, 0, SIZE), DATA);
    }

    @Test
    void theOwnersAreasNeedATpmThatIsEnabledAndActive() {
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.OWNERREAD)
                .is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX + 1, SIZE, Permission.WRITEDEFINE).is(ReturnCode.SUCCESS);
        guest.tpm.presence();
        guest.tpm.send("PhysicalDisable").is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.DISABLED);
        guest.ownerRead(INDEX, 0, SIZE).is(ReturnCode.DISABLED);
        guest.write(INDEX + 1, 0, DATA).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX + 1, 0, SIZE), DATA);
        guest.tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        guest.tpm.send("SetTempDeactivated").is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.DEACTIVATED);
        guest.ownerRead(INDEX, 0, SIZE).is(ReturnCode.DEACTIVATED);
        contents(guest.read(INDEX + 1, 0, SIZE), DATA);
    }

    @Test
    void anOwnersWritesWithoutAuthorisationHaveNoLimit() {
        guest.ownerDefine(INDEX, SIZE, Permission.WRITEDEFINE).is(ReturnCode.SUCCESS);
        for (int write = 0; write < 100; write++) {
            guest.write(INDEX, 0, u32(write)).is(ReturnCode.SUCCESS);
        }
    }

    @Test
    void whatIsNotThereCannotBeUsed() {
        guest.write(INDEX, 0, DATA).is(ReturnCode.BADINDEX);
        guest.write(INDEX, 0, NOTHING).is(ReturnCode.BADINDEX);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.BADINDEX);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.BADINDEX);
        guest.read(INDEX, 0, SIZE).is(ReturnCode.BADINDEX);
        guest.ownerRead(INDEX, 0, 0).is(ReturnCode.BADINDEX);
        guest.authRead(INDEX, 0, SIZE).is(ReturnCode.BADINDEX);
        guest.shown(INDEX).is(ReturnCode.BADINDEX);
    }

    @Test
    void writingWhatIsThereAlreadyCostsNoStore() {
        guest.ownerDefine(INDEX, SIZE, Permission.WRITEDEFINE).is(ReturnCode.SUCCESS);
        guest.write(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        int stores = guest.tpm.stores;
        guest.write(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        assertThat(guest.tpm.stores).isEqualTo(stores);
        guest.write(INDEX, 0, new byte[SIZE]).is(ReturnCode.SUCCESS);
        assertThat(guest.tpm.stores).isEqualTo(stores + 1);
    }

    private static Set<Permission> both(Permission one, Permission other) {
        return EnumSet.of(one, other);
    }
}
