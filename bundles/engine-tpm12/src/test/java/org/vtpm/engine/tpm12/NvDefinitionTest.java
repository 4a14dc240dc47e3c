package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.NvGuest.ANYWHERE;
import static org.vtpm.engine.tpm12.NvGuest.DATA;
import static org.vtpm.engine.tpm12.NvGuest.INDEX;
import static org.vtpm.engine.tpm12.NvGuest.SECRET;
import static org.vtpm.engine.tpm12.NvGuest.SIZE;
import static org.vtpm.engine.tpm12.NvGuest.area;
import static org.vtpm.engine.tpm12.NvGuest.contents;
import static org.vtpm.engine.tpm12.NvGuest.localities;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;

/** TPM_NV_DefineSpace (TPM Main Part 3, section 20.1). */
class NvDefinitionTest {
    private static final byte[] ERASED = {-1, -1, -1, -1};

    static Stream<Arguments> pairs() {
        return Stream.of(Permission.values())
                .flatMap(one -> Stream.of(Permission.values())
                        .filter(other -> other.compareTo(one) >= 0)
                        .map(other -> Arguments.of(one, other)));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void attributesHaveToBeConsistent(Permission one, Permission other) {
        NvGuest guest = NvGuest.locked();
        var both = Stream.of(one, other).distinct().toList();
        ReturnCode expected = ReturnCode.SUCCESS;
        if (both.containsAll(
                        Stream.of(Permission.OWNERWRITE, Permission.AUTHWRITE).toList())
                || both.containsAll(
                        Stream.of(Permission.OWNERREAD, Permission.AUTHREAD).toList())) {
            expected = ReturnCode.AUTH_CONFLICT;
        } else if (Stream.of(Permission.OWNERWRITE, Permission.AUTHWRITE, Permission.WRITEDEFINE, Permission.PPWRITE)
                .noneMatch(both::contains)) {
            expected = ReturnCode.PER_NOWRITE;
        }
        guest.ownerDefine(INDEX, SIZE, one, other).is(expected);
        assertThat(guest.indices()).hasSize(expected == ReturnCode.SUCCESS ? 1 : 0);
    }

    @Test
    void aLimitToSomeLocalitiesIsEnoughOfARestrictionInWriting() {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(area(INDEX, ANYWHERE, localities(0x0F), SIZE)).is(ReturnCode.SUCCESS);
        guest.ownerDefine(area(INDEX, localities(0x0F), ANYWHERE, SIZE)).is(ReturnCode.PER_NOWRITE);
    }

    @Test
    void aNewAreaIsErasedUnlockedAndLasts() {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE, Permission.READ_STCLEAR)
                .is(ReturnCode.SUCCESS);
        byte[] shown = concat(
                u16(0x18),
                u32(INDEX),
                ANYWHERE,
                ANYWHERE,
                u16(0x17),
                u32(0x8000_0002),
                new byte[] {0, 0, 0},
                u32(SIZE));
        for (int boot = 0; boot < 2; boot++) {
            assertThat(guest.shown(INDEX).parameters()).isEqualTo(TestTpm.sized(shown));
            contents(guest.read(INDEX, 0, SIZE), ERASED);
            guest.tpm.powerCycle();
            guest.tpm.startup(StartupMode.CLEAR);
        }
    }

    @Test
    void theOwnersSessionEncryptsTheSecret() {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(INDEX, SIZE, Permission.AUTHWRITE, Permission.AUTHREAD)
                .is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        contents(guest.authRead(INDEX, 0, SIZE), DATA);
        guest.tpm.osap(EntityType.NV, INDEX, SECRET);
        // An OIAP session has no secret to encrypt with.
        guest.tpm
                .authorized(
                        guest.tpm.oiap(NvGuest.OWNER),
                        false,
                        "NV_DefineSpace",
                        area(INDEX, ANYWHERE, ANYWHERE, SIZE, Permission.OWNERWRITE),
                        SECRET)
                .is(ReturnCode.BAD_MODE);
    }

    @Test
    void withoutAuthorisationItTakesPresenceAndNoOwner() {
        NvGuest guest = NvGuest.locked();
        guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.BAD_PRESENCE);
        guest.tpm.presence();
        guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.OWNER_SET);

        guest = NvGuest.atTheFactory();
        guest.lock();
        guest.define(INDEX, SIZE, Permission.PPWRITE).is(ReturnCode.BAD_PRESENCE);
        guest.tpm.presence();
        guest.define(INDEX, SIZE, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        guest.define(INDEX, 0, Permission.PPWRITE).is(ReturnCode.BAD_DATASIZE);
        guest.define(INDEX, 2 * SIZE, Permission.PPWRITE).is(ReturnCode.SUCCESS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x1000_0011, 0x1000_0001, NvIndex.GLOBAL_LOCK, NvIndex.LOCK, 0x0100_0011, 0x0800_0000})
    void someIndicesAreNotTheOwners(int nvIndex) {
        NvGuest.locked().ownerDefine(nvIndex, SIZE, Permission.OWNERWRITE).is(ReturnCode.BADINDEX);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 0x1100, 0x0001_0000, 0x0020_0000, 0x2000_0011, 0x4000_0011, 0x8000_0011, 0xE000_0011})
    void otherIndicesAre(int nvIndex) {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(nvIndex, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        assertThat(guest.indices()).containsExactly(nvIndex);
    }

    @Test
    void onlyBeforeNvIsLockedAreAreasMadeThatLastForGood() {
        int permanent = 0x1000_0011;
        NvGuest guest = NvGuest.atTheFactory();
        guest.define(permanent, SIZE, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        guest.define(permanent, 0).is(ReturnCode.SUCCESS);
        guest.define(permanent, SIZE, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        guest.define(0x1000_0001, SIZE, Permission.PPWRITE).is(ReturnCode.BADINDEX);
        guest.lock();
        guest.tpm.presence();
        guest.define(permanent, SIZE, Permission.PPWRITE).is(ReturnCode.BADINDEX);
        guest.tpm.send("ForceClear").is(ReturnCode.SUCCESS);
        assertThat(guest.indices()).containsExactly(permanent);
    }

    @Test
    void nvIsLockedOnceAndForAll() {
        NvGuest guest = NvGuest.atTheFactory();
        guest.define(NvIndex.LOCK, 1).is(ReturnCode.BADINDEX);
        guest.define(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.lock();
        guest.lock();
        guest.tpm.powerCycle();
        guest.tpm.startup(StartupMode.CLEAR);
        guest.define(INDEX, 0).is(ReturnCode.BAD_PRESENCE);
    }

    @Test
    void deletingLeavesNothingBehind() {
        NvGuest guest = NvGuest.locked();
        int free = guest.free();
        guest.ownerDefine(INDEX, SIZE, Permission.AUTHWRITE).is(ReturnCode.SUCCESS);
        guest.authWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        var session = guest.tpm.osap(EntityType.NV, INDEX, SECRET);
        guest.ownerDefine(INDEX, 0).is(ReturnCode.SUCCESS);
        assertThat(guest.free()).isEqualTo(free);
        assertThat(guest.indices()).isEmpty();
        guest.read(INDEX, 0, SIZE).is(ReturnCode.BADINDEX);
        guest.tpm.send("Terminate_Handle", u32(session.handle)).is(ReturnCode.INVALID_AUTHHANDLE);
        guest.ownerDefine(INDEX, 0, Permission.OWNERWRITE).is(ReturnCode.BAD_PARAM_SIZE);
    }

    @Test
    void redefiningErasesAndARefusalKeepsTheOldArea() {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.ownerWrite(INDEX, 0, DATA).is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX, SIZE).is(ReturnCode.PER_NOWRITE);
        guest.ownerDefine(INDEX, 0x10000, Permission.OWNERWRITE).is(ReturnCode.NOSPACE);
        contents(guest.read(INDEX, 0, SIZE), DATA);
        guest.ownerDefine(INDEX, 2 * SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        contents(guest.read(INDEX, 0, SIZE), ERASED);
        assertThat(guest.indices()).containsExactly(INDEX);
    }

    @Test
    void aTrialTellsWhetherThereIsRoomAndMakesNothing() {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(NvIndex.TRIAL, 28_000, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        guest.ownerDefine(NvIndex.TRIAL, 28_666, Permission.OWNERWRITE).is(ReturnCode.NOSPACE);
        assertThat(guest.indices()).isEmpty();
    }

    @Test
    void roomEndsAtTheLastByte() {
        NvGuest guest = NvGuest.locked();
        int all = guest.free();
        guest.ownerDefine(INDEX, 1, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        int head = all - 1 - guest.free();
        guest.ownerDefine(INDEX + 1, guest.free() - head + 1, Permission.OWNERWRITE)
                .is(ReturnCode.NOSPACE);
        guest.ownerDefine(INDEX + 1, guest.free() - head, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        assertThat(guest.free()).isZero();
        guest.ownerDefine(INDEX + 2, 1, Permission.OWNERWRITE).is(ReturnCode.NOSPACE);
        guest.ownerDefine(INDEX, 0).is(ReturnCode.SUCCESS);
        guest.ownerDefine(INDEX + 2, 1, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
    }

    /** A guest can stop swtpm with such a size. */
    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, -100, 28_667})
    void sizesBeyondAllRoomDoNoHarm(int size) {
        NvGuest guest = NvGuest.locked();
        guest.ownerDefine(INDEX, size, Permission.OWNERWRITE).is(ReturnCode.NOSPACE);
        guest.ownerDefine(NvIndex.TRIAL, size, Permission.OWNERWRITE).is(ReturnCode.NOSPACE);
        guest.ownerDefine(INDEX, SIZE, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
    }

    @Test
    void conditionsThatCannotBeAreRefused() {
        NvGuest guest = NvGuest.locked();
        byte[] noLocality = localities(0);
        byte[] sixthLocality = localities(0x20);
        byte[] fourBytes = HexFormat.of().parseHex("000400000000" + "1f" + "00".repeat(20));
        for (byte[] wrong : new byte[][] {noLocality, sixthLocality}) {
            guest.ownerDefine(area(INDEX, wrong, ANYWHERE, SIZE, Permission.OWNERWRITE))
                    .is(ReturnCode.INVALID_STRUCTURE);
            guest.ownerDefine(area(INDEX, ANYWHERE, wrong, SIZE, Permission.OWNERWRITE))
                    .is(ReturnCode.INVALID_STRUCTURE);
        }
        guest.ownerDefine(area(INDEX, fourBytes, ANYWHERE, SIZE, Permission.OWNERWRITE))
                .is(ReturnCode.INVALID_PCR_INFO);
        assertThat(guest.indices()).isEmpty();
    }
}
