package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/** NV indices with a meaning of their own. */
class NvIndexTest {
    private static final int GPIO = 0x0001_1605;
    private static final int DIR = 0x1000_0001;
    private static final int PPWRITE = 1;

    private final TestTpm tpm = TestTpm.started();

    @Test
    void anAreaOfAPinTakesNoRoomAndKeepsNothing() {
        int before = free();
        define(GPIO, 1);
        int head = before - free();
        define(GPIO, 100);
        assertThat(before - free()).isEqualTo(head);
        define(0x11, 100);
        assertThat(before - free()).isEqualTo(head + head + 100);

        tpm.send("NV_WriteValue", u32(GPIO), u32(99), sized(new byte[] {1})).is(ReturnCode.SUCCESS);
        tpm.send("NV_WriteValue", u32(GPIO), u32(100), sized(new byte[] {1})).is(ReturnCode.NOSPACE);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(tpm.send("NV_ReadValue", u32(GPIO), u32(98), u32(2)).hex()).isEqualTo("00000002" + "0000");
        tpm.send("NV_ReadValue", u32(GPIO), u32(98), u32(3)).is(ReturnCode.NOSPACE);
    }

    @Test
    void theDirIsNoAreaWithASecret() {
        byte[] noSession = new byte[4 + 20 + 1 + 20];
        GuestOwner.withNewEk(tpm).takeOwnership();
        tpm.send(0, TestTpm.AUTH1, "NV_ReadValueAuth", u32(DIR), u32(0), u32(20), noSession)
                .is(ReturnCode.BADINDEX);
        tpm.send(0, TestTpm.AUTH1, "NV_WriteValueAuth", u32(DIR), u32(0), sized(new byte[20]), noSession)
                .is(ReturnCode.BADINDEX);
    }

    private int free() {
        return TestTpm.number(
                tpm.send("GetCapability", u32(5), sized(u32(0x123))).parameters(), 4);
    }

    private void define(int nvIndex, int size) {
        byte[] anything = HexFormat.of().parseHex("0003000000" + "1f" + "00".repeat(20));
        byte[] permission = HexFormat.of().parseHex("0017" + "0000000" + PPWRITE);
        tpm.send(
                        "NV_DefineSpace",
                        u16(0x18),
                        u32(nvIndex),
                        anything,
                        anything,
                        permission,
                        new byte[3],
                        u32(size),
                        new byte[20])
                .is(ReturnCode.SUCCESS);
    }
}
