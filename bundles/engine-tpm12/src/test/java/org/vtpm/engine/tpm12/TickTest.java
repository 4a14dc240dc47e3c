package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.tpm12.structure.ReturnCode;

class TickTest {
    private final TestTpm tpm = TestTpm.started();

    @Test
    void ticksCountMicrosecondsSinceThePowerCame() {
        byte[] first = ticks();
        assertThat(first).hasSize(32);
        assertThat(Arrays.copyOf(first, 12)).isEqualTo(HexFormat.of().parseHex("0014" + "0000000000000000" + "0001"));
        tpm.clock.addAndGet(5_000_001_999L);
        byte[] later = ticks();
        assertThat(count(later)).isEqualTo(5_000_001);
        assertThat(nonce(later)).isEqualTo(nonce(first));
    }

    @Test
    void everyLossOfPowerEndsTheTickSession() {
        byte[] before = ticks();
        tpm.clock.addAndGet(1_000_000);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        byte[] after = ticks();
        assertThat(count(after)).isZero();
        assertThat(nonce(after)).isNotEqualTo(nonce(before));
    }

    @Test
    void ticksNeedAStartedAndActiveTpm() {
        TestTpm off = TestTpm.poweredOn();
        off.send("GetTicks").is(ReturnCode.INVALID_POSTINIT);
        off.startup(StartupMode.DEACTIVATED);
        off.send("GetTicks").is(ReturnCode.DEACTIVATED);
    }

    private byte[] ticks() {
        return tpm.send("GetTicks").is(ReturnCode.SUCCESS).parameters();
    }

    private static long count(byte[] ticks) {
        return ByteBuffer.wrap(ticks).getLong(2);
    }

    private static byte[] nonce(byte[] ticks) {
        return Arrays.copyOfRange(ticks, 12, 32);
    }
}
