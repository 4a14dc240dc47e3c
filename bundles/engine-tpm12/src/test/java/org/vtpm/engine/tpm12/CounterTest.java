package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

/** Monotonic counters. */
class CounterTest {
    private static final byte[] AUTH = Sha1.of(u8(61));
    private static final byte[] LABEL = HexFormat.of().parseHex("4c41424c");
    private static final int MOST = 8;
    private static final int FREE_COUNTERS = 0x10C;
    private static final int ACTIVE_COUNTER = 0x122;

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void aCounterCountsUp() {
        byte[] made = create().is(ReturnCode.SUCCESS).parameters();
        int countId = number(made, 0);
        assertThat(made).isEqualTo(concat(u32(countId), value(1)));
        assertThat(increment(countId).is(ReturnCode.SUCCESS).parameters()).isEqualTo(value(2));
        assertThat(read(countId).is(ReturnCode.SUCCESS).parameters()).isEqualTo(value(2));
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(read(countId).is(ReturnCode.SUCCESS).parameters()).isEqualTo(value(2));
    }

    @Test
    void onlyOneCounterCountsUntilTheNextStart() {
        int first = number(create().parameters(), 0);
        int second = number(create().parameters(), 0);
        assertThat(property(ACTIVE_COUNTER)).isEqualTo(0xFFFFFFFF);
        increment(first).is(ReturnCode.SUCCESS);
        assertThat(property(ACTIVE_COUNTER)).isEqualTo(first);
        increment(second).is(ReturnCode.BAD_COUNTER);
        release(first).is(ReturnCode.SUCCESS);
        increment(second).is(ReturnCode.BAD_COUNTER);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        increment(second).is(ReturnCode.SUCCESS);
    }

    @Test
    void nothingTurnsACounterBack() {
        int countId = number(create().parameters(), 0);
        increment(countId).is(ReturnCode.SUCCESS);
        increment(countId).is(ReturnCode.SUCCESS);
        release(countId).is(ReturnCode.SUCCESS);
        read(countId).is(ReturnCode.BAD_COUNTER);
        assertThat(create().is(ReturnCode.SUCCESS).parameters()).endsWith(value(4));
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        GuestOwner.withEk(tpm).takeOwnership();
        assertThat(property(FREE_COUNTERS)).isEqualTo(MOST);
        assertThat(create().is(ReturnCode.SUCCESS).parameters()).endsWith(value(5));
    }

    @Test
    void thereIsAnEndToCounters() {
        for (int i = 0; i < MOST; i++) {
            assertThat(property(FREE_COUNTERS)).isEqualTo(MOST - i);
            create().is(ReturnCode.SUCCESS);
        }
        create().is(ReturnCode.RESOURCES);
    }

    @Test
    void countingIsAuthorisedByTheCountersSecret() {
        int countId = number(create().parameters(), 0);
        tpm.authorized(tpm.oiap(new byte[20]), false, "IncrementCounter", u32(countId))
                .is(ReturnCode.AUTHFAIL);
        GuestSession osap = tpm.osap(EntityType.COUNTER, countId, AUTH);
        tpm.authorized(osap, true, "IncrementCounter", u32(countId)).is(ReturnCode.SUCCESS);
        tpm.authorized(osap, true, "ReleaseCounter", u32(countId)).is(ReturnCode.SUCCESS);
        int second = number(create().parameters(), 0);
        assertThat(second).as("numbers are used again").isEqualTo(countId);
        tpm.authorized(osap, true, "ReleaseCounter", u32(second)).is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "ReleaseCounterOwner", u32(second))
                .is(ReturnCode.SUCCESS);
        tpm.send("ReadCounter", u32(second)).is(ReturnCode.BAD_COUNTER);
    }

    @Test
    void anOiapSessionMakesNoCounter() {
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "CreateCounter", AUTH, LABEL)
                .is(ReturnCode.BAD_MODE);
    }

    private TestTpm.Response create() {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, GuestOwner.OWNER_AUTH);
        return tpm.authorized(session, false, "CreateCounter", tpm.encrypted(session, AUTH), LABEL);
    }

    private TestTpm.Response increment(int countId) {
        return tpm.authorized(tpm.oiap(AUTH), false, "IncrementCounter", u32(countId));
    }

    private TestTpm.Response release(int countId) {
        return tpm.authorized(tpm.oiap(AUTH), false, "ReleaseCounter", u32(countId));
    }

    private TestTpm.Response read(int countId) {
        return tpm.send("ReadCounter", u32(countId));
    }

    private int property(int property) {
        return number(
                tpm.send("GetCapability", u32(5), sized(u32(property)))
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                4);
    }

    private static byte[] value(int count) {
        return concat(HexFormat.of().parseHex("000e"), LABEL, u32(count));
    }
}
