package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.NvGuest.contents;

import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.ReturnCode;

/** NV indices with a meaning of their own. */
class NvIndexTest {
    private static final int GPIO = 0x0001_1605;

    private final NvGuest guest = NvGuest.atTheFactory();

    @Test
    void anAreaOfAPinTakesNoRoomAndKeepsNothing() {
        int before = guest.free();
        guest.define(GPIO, 1, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        int head = before - guest.free();
        guest.define(GPIO, 100, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        assertThat(before - guest.free()).isEqualTo(head);
        guest.define(0x11, 100, Permission.PPWRITE).is(ReturnCode.SUCCESS);
        assertThat(before - guest.free()).isEqualTo(head + head + 100);

        guest.write(GPIO, 99, new byte[] {1}).is(ReturnCode.SUCCESS);
        guest.write(GPIO, 100, new byte[] {1}).is(ReturnCode.NOSPACE);
        guest.tpm.powerCycle();
        guest.tpm.startup(StartupMode.CLEAR);
        contents(guest.read(GPIO, 98, 2), new byte[2]);
        guest.read(GPIO, 98, 3).is(ReturnCode.NOSPACE);
    }
}
