package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.NvGuest.contents;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;

/** The data integrity register, by its own commands and as an NV area (TPM Main Part 3, sections 20 and 27.4). */
class DirTest {
    private static final byte[] NOTHING = {};
    private static final byte[] VALUE = Sha1.of(u32(5));
    private static final byte[] OTHER = Sha1.of(u32(6));

    private final NvGuest guest = NvGuest.locked();

    @Test
    void bothWaysLeadToOneRegister() {
        guest.tpm
                .authorized(guest.tpm.oiap(NvGuest.OWNER), false, "DirWriteAuth", u32(0), VALUE)
                .is(ReturnCode.SUCCESS);
        contents(guest.read(NvIndex.DIR, 0, 20), VALUE);
        contents(guest.read(NvIndex.DIR, 4, 3), Arrays.copyOfRange(VALUE, 4, 7));
        guest.ownerWrite(NvIndex.DIR, 0, OTHER).is(ReturnCode.SUCCESS);
        guest.tpm.powerCycle();
        guest.tpm.startup(StartupMode.CLEAR);
        assertThat(guest.tpm.send("DirRead", u32(0)).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(OTHER);
        assertThat(guest.indices()).isEmpty();
    }

    @Test
    void thereIsOneRegister() {
        for (int dir : new int[] {1, -1}) {
            guest.tpm
                    .authorized(guest.tpm.oiap(NvGuest.OWNER), false, "DirWriteAuth", u32(dir), VALUE)
                    .is(ReturnCode.BADINDEX);
            guest.tpm.send("DirRead", u32(dir)).is(ReturnCode.BADINDEX);
        }
    }

    /** It has TPM_NV_PER_OWNERWRITE and TPM_NV_PER_WRITEALL (Part 2, section 19.1.1), and no secret. */
    @Test
    void theOwnerWritesItAsAWholeAndAnybodyReadsIt() {
        guest.write(NvIndex.DIR, 0, VALUE).is(ReturnCode.AUTH_CONFLICT);
        guest.authWrite(NvIndex.DIR, 0, VALUE).is(ReturnCode.BADINDEX);
        guest.ownerWrite(NvIndex.DIR, 0, new byte[19]).is(ReturnCode.NOT_FULLWRITE);
        guest.ownerWrite(NvIndex.DIR, 0, new byte[21]).is(ReturnCode.NOSPACE);
        guest.ownerWrite(NvIndex.DIR, 1, VALUE).is(ReturnCode.NOSPACE);
        guest.ownerRead(NvIndex.DIR, 0, 20).is(ReturnCode.AUTH_CONFLICT);
        guest.authRead(NvIndex.DIR, 0, 20).is(ReturnCode.BADINDEX);
        contents(guest.read(NvIndex.DIR, 0, 20), new byte[20]);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20, -1, -20, Integer.MIN_VALUE})
    void readingEndsWithIt(int offset) {
        guest.read(NvIndex.DIR, offset, 20).is(ReturnCode.NOSPACE);
        guest.read(NvIndex.DIR, 20, offset).is(ReturnCode.NOSPACE);
    }

    @Test
    void nothingLocksIt() {
        guest.ownerWrite(NvIndex.DIR, 0, NOTHING).is(ReturnCode.SUCCESS);
        contents(guest.read(NvIndex.DIR, 0, 0), NOTHING);
        guest.write(NvIndex.GLOBAL_LOCK, 0, NOTHING).is(ReturnCode.SUCCESS);
        guest.ownerWrite(NvIndex.DIR, 0, VALUE).is(ReturnCode.SUCCESS);
        contents(guest.read(NvIndex.DIR, 0, 20), VALUE);
    }

    @Test
    void itGoesWithNoOwner() {
        guest.ownerWrite(NvIndex.DIR, 0, VALUE).is(ReturnCode.SUCCESS);
        guest.tpm.presence();
        guest.tpm.send("ForceClear").is(ReturnCode.SUCCESS);
        contents(guest.read(NvIndex.DIR, 0, 20), VALUE);
    }
}
