package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.manager.InstanceState;

class HotplugTest {
    private static final ConsoleOrder.OfInstance CLOSE = new ConsoleOrder.Close(5);
    private static final ConsoleOrder.OfInstance DELETE = new ConsoleOrder.Delete(5);

    private final FakeManager manager = new FakeManager();
    private final Hotplug hotplug = new Hotplug(manager);

    private static ConsoleOrder.OfInstance open(StartupMode startup) {
        return new ConsoleOrder.Open(5, startup, ConsoleOrder.VmType.PV);
    }

    private void succeeds(ConsoleOrder.OfInstance order) {
        assertThat(hotplug.carryOut(order)).isEqualTo(TpmError.SUCCESS);
    }

    private void isBad(ConsoleOrder.OfInstance order) {
        assertThat(hotplug.carryOut(order)).isEqualTo(TpmError.BAD_PARAMETER);
    }

    private void snapshotsFail() {
        manager.refuse("suspend", "no snapshot can be taken of it");
        manager.refuse("resume", "its snapshot cannot be used");
    }

    private InstanceState state() {
        return manager.find("vtpm-5").orElseThrow().state();
    }

    @Test
    void theFirstOpenMakesTheInstanceAndTheNextBringsItBack() {
        succeeds(open(StartupMode.CLEAR));
        InstanceRecord made = manager.find("vtpm-5").orElseThrow().record();
        assertThat(made.endpoints()).containsExactly(URI.create("legacy:5"));
        assertThat(made.family()).isEqualTo(TpmFamily.TPM_1_2);
        succeeds(CLOSE);
        assertThat(state()).isEqualTo(InstanceState.SUSPENDED);
        succeeds(open(StartupMode.STATE));
        succeeds(CLOSE);
        succeeds(open(StartupMode.CLEAR));
        succeeds(CLOSE);
        succeeds(open(StartupMode.DEACTIVATED));
        assertThat(manager.orders)
                .containsExactly(
                        "create vtpm-5 with EK",
                        "start vtpm-5",
                        "suspend vtpm-5",
                        "resume vtpm-5",
                        "suspend vtpm-5",
                        "discard vtpm-5",
                        "start vtpm-5 CLEAR",
                        "suspend vtpm-5",
                        "discard vtpm-5",
                        "start vtpm-5 DEACTIVATED");
        assertThat(manager.find("vtpm-5").orElseThrow().record().uuid()).isEqualTo(made.uuid());
    }

    @Test
    void aNewInstanceCanBeginDeactivatedButLaterStartsAreUpToTheirOrders() {
        succeeds(open(StartupMode.DEACTIVATED));
        assertThat(manager.orders).last().isEqualTo("start vtpm-5 DEACTIVATED");
        assertThat(manager.find("vtpm-5").orElseThrow().record().startup()).isEqualTo(StartupMode.CLEAR);
    }

    @Test
    void anHvmGuestGetsASocketToo() {
        ConsoleOrder.OfInstance open = new ConsoleOrder.Open(5, StartupMode.CLEAR, ConsoleOrder.VmType.HVM);
        succeeds(open);
        assertThat(manager.find("vtpm-5").orElseThrow().record().endpoints())
                .containsExactly(URI.create("legacy:5"), URI.create("hvm:5"));
        succeeds(CLOSE);
        succeeds(open);
        assertThat(manager.orders).doesNotContain("attach hvm:5");
    }

    @Test
    void aGuestThatBecameAnHvmGuestGetsASocket() {
        succeeds(open(StartupMode.CLEAR));
        succeeds(CLOSE);
        succeeds(new ConsoleOrder.Open(5, StartupMode.CLEAR, ConsoleOrder.VmType.HVM));
        assertThat(manager.orders).containsSubsequence("attach hvm:5", "start vtpm-5 CLEAR");
    }

    @Test
    void numbersOfHvmGuestsLeaveRoomForTheLocality() {
        isBad(new ConsoleOrder.Open(0x20000000L, StartupMode.CLEAR, ConsoleOrder.VmType.HVM));
        assertThat(manager.instances()).isEmpty();
        succeeds(new ConsoleOrder.Open(0x1FFFFFFF, StartupMode.CLEAR, ConsoleOrder.VmType.HVM));
    }

    @Test
    void aSecondOpenIsRefusedAndLeavesTheRunningOneAlone() {
        succeeds(open(StartupMode.CLEAR));
        manager.orders.clear();
        isBad(open(StartupMode.CLEAR));
        isBad(open(StartupMode.STATE));
        assertThat(manager.orders).isEmpty();
        assertThat(state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void aGuestWithoutAnInstanceIsNotResumedWithANewOne() {
        isBad(open(StartupMode.STATE));
        assertThat(manager.instances()).isEmpty();
    }

    @Test
    void anInstanceResumedWithTheManagerIsStartedAsTheBootingGuestNeedsIt() throws Exception {
        manager.running("guest", URI.create("legacy:5"));
        succeeds(open(StartupMode.STATE));
        assertThat(manager.orders).containsExactly("stop guest", "start guest STATE");
        isBad(open(StartupMode.STATE));
    }

    @Test
    void anInstanceThatItsGuestUsesSinceTheManagerWasRestartedIsLeftAlone() throws Exception {
        var unused = manager.running("guest", URI.create("legacy:5")).execute(0, FifoPeer.add(1));
        isBad(open(StartupMode.CLEAR));
        assertThat(manager.orders).isEmpty();
        succeeds(CLOSE);
        succeeds(open(StartupMode.CLEAR));
    }

    @Test
    void aTpmThatWasStoppedIsResumedFromWhatItsGuestSaved() throws Exception {
        succeeds(open(StartupMode.CLEAR));
        manager.stop(manager.find("vtpm-5").orElseThrow().record().uuid());
        isBad(CLOSE);
        succeeds(open(StartupMode.STATE));
        assertThat(manager.orders).last().isEqualTo("start vtpm-5 STATE");
    }

    @Test
    void aTpmThatCannotBeSuspendedIsStopped() {
        succeeds(open(StartupMode.CLEAR));
        snapshotsFail();
        succeeds(CLOSE);
        assertThat(manager.orders).endsWith("suspend vtpm-5", "stop vtpm-5");
        assertThat(state()).isEqualTo(InstanceState.STOPPED);
    }

    @Test
    void aSnapshotThatCannotBeUsedStaysUntilTheGuestBoots() {
        succeeds(open(StartupMode.CLEAR));
        succeeds(CLOSE);
        snapshotsFail();
        assertThat(hotplug.carryOut(open(StartupMode.STATE))).isEqualTo(TpmError.FAIL);
        succeeds(CLOSE);
        assertThat(state()).isEqualTo(InstanceState.FAILED);
        assertThat(hotplug.carryOut(open(StartupMode.STATE))).isEqualTo(TpmError.FAIL);
        succeeds(open(StartupMode.CLEAR));
        assertThat(manager.orders).endsWith("resume vtpm-5", "resume vtpm-5", "discard vtpm-5", "start vtpm-5 CLEAR");
    }

    @Test
    void closeNeedsAnInstanceThatIsNotStopped() {
        isBad(CLOSE);
        succeeds(open(StartupMode.CLEAR));
        succeeds(CLOSE);
        isBad(CLOSE);
        succeeds(open(StartupMode.CLEAR));
        manager.fail("vtpm-5");
        succeeds(CLOSE);
        assertThat(state()).isEqualTo(InstanceState.STOPPED);
    }

    @Test
    void deleteWorksOnAnOpenAndOnAClosedInstance() {
        isBad(DELETE);
        succeeds(open(StartupMode.CLEAR));
        succeeds(CLOSE);
        succeeds(DELETE);
        assertThat(manager.instances()).isEmpty();
        succeeds(open(StartupMode.CLEAR));
        succeeds(DELETE);
        assertThat(manager.instances()).isEmpty();
        succeeds(open(StartupMode.CLEAR));
    }

    @Test
    void aRefusalOfTheManagerIsAFailure() throws Exception {
        manager.running("vtpm-5", URI.create("legacy:6"));
        assertThat(hotplug.carryOut(open(StartupMode.CLEAR))).isEqualTo(TpmError.FAIL);
    }
}
