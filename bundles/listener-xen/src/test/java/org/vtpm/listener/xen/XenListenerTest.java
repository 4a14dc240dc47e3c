package org.vtpm.listener.xen;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.StubdomCommands;
import org.vtpm.api.xen.XenDevice;
import org.vtpm.listener.xen.ring.TpmRing;

/** The listener on a Xen host in memory. */
class XenListenerTest {
    private static final UUID ONE = UUID.fromString("ac0a5b9e-cbe2-4c07-b43b-1d69e46fb839");
    private static final UUID TWO = UUID.fromString("11111111-2222-3333-4444-555555555555");

    @TempDir
    Path folder;

    private TestXen xen;
    private final XenEndpoints endpoints = new XenEndpoints();
    private final FakeManager manager = new FakeManager(endpoints);
    private final TestVtpmmgr vtpmmgr = new TestVtpmmgr();
    private final Stubdoms stubdoms = new Stubdoms();
    private XenListener listener;

    @BeforeEach
    void begin() throws Exception {
        xen = new TestXen(folder);
        stubdoms.bindCommands(vtpmmgr);
        start(true);
    }

    @AfterEach
    void end() throws Exception {
        if (listener != null) {
            listener.deactivate();
            assertThat(xen.mapped()).isZero();
        }
        xen.close();
    }

    private void start(boolean createUnknown) {
        start(createUnknown, Set.of());
    }

    private void start(boolean createUnknown, Set<UUID> theirOwn) {
        listener = new XenListener(
                xen,
                manager,
                endpoints,
                stubdoms,
                new Settings(createUnknown, theirOwn, TpmFamily.TPM_1_2, 2, 100),
                Duration.ofMillis(20),
                Duration.ofMillis(50),
                true);
    }

    private void stop() {
        listener.deactivate();
        listener = null;
    }

    private static void eventually(Callable<Boolean> condition, String what) throws Exception {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what);
            }
            Thread.sleep(2);
        }
    }

    private XenDevice device(DeviceId id) {
        return listener.report().devices().stream()
                .filter(d -> d.domain() == id.domain() && d.device() == id.device())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aLineInTheGuestsConfigurationIsAllThatAnOperatorDoes() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        assertThat(guest.extend(5)).isEqualTo(5);
        assertThat(guest.store(7)).isEqualTo(7);
        assertThat(manager.find("g1").orElseThrow().record().uuid()).isEqualTo(ONE);
        assertThat(manager.find(ONE).orElseThrow().record().endpoints()).containsExactly(guest.id.endpoint());
        assertThat(xen.store.read(guest.id.backend() + "/feature-protocol-v2")).isEqualTo("1");
        eventually(() -> xen.sentTo(guest.id.domain(), guest.port) == 2, "not one event for each answer");
        XenDevice device = device(guest.id);
        assertThat(device.guest()).isEqualTo("g1");
        assertThat(device.phase()).isEqualTo("connected");
        assertThat(device.counters().commands()).isEqualTo(2);
        assertThat(device.ringRef()).hasValue(guest.ringRef);
    }

    @Test
    void aCommandThatWasSentBeforeTheBackendConnectedIsAnswered() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE);
        guest.offer();
        guest.page.submit(1, FakeManager.command(FakeManager.EXTEND, 3));
        guest.state("3");
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(FakeManager.value(guest.page.packet())).isEqualTo(3);
        assertThat(manager.instance(ONE).localities()).last().isEqualTo(1);
    }

    @Test
    void aGuestThatClosesAndConnectsAgainFindsItsTpmAsItWas() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        guest.state("5");
        xen.await(guest.id, "5");
        guest.state("6");
        xen.await(guest.id, "2");
        assertThat(xen.mapped()).isZero();
        guest.connect();
        assertThat(guest.extend(1)).isEqualTo(6);
    }

    @Test
    void aGuestThatIsBootedAgainFindsOnlyWhatItsTpmKeeps() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        guest.store(7);
        xen.destroy(guest.id.domain());
        TestGuest again = TestGuest.create(xen, "g1", ONE).connect();
        assertThat(again.extend(1)).isEqualTo(1);
        assertThat(again.store(1)).isEqualTo(8);
        assertThat(manager.find(ONE).orElseThrow().record().endpoints()).containsExactly(again.id.endpoint());
    }

    @Test
    void theTpmOfAGuestThatIsGoneIsOff() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        xen.destroy(guest.id.domain());
        eventually(() -> manager.state(ONE) == InstanceState.STOPPED, "the instance runs on");
        eventually(() -> listener.report().devices().isEmpty(), "the device is still known");
        assertThat(manager.find(ONE).orElseThrow().record().endpoints()).isEmpty();
        assertThat(xen.store.read(guest.id.backend() + "/state")).isNull();
    }

    @Test
    void aGuestWhoseToolstackDiedIsLetGo() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        xen.store.release(guest.id.domain());
        xen.await(guest.id, "6");
        eventually(() -> xen.mapped() == 0, "its page is held");
    }

    @Test
    void aDeviceIsAttachedAndDetachedWhileItsGuestRuns() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        xen.attach(guest.id.domain(), 1, TWO);
        TestGuest second = new TestGuest(xen, new DeviceId(guest.id.domain(), 1));
        xen.await(second.id, "2");
        second.connect();
        assertThat(second.extend(2)).isEqualTo(2);
        xen.detach(guest.id.domain(), 1);
        eventually(() -> manager.state(TWO) == InstanceState.STOPPED, "the instance runs on");
        assertThat(guest.extend(1)).isEqualTo(1);
        xen.attach(guest.id.domain(), 1, TWO);
        xen.await(second.id, "2");
        second.connect();
        assertThat(second.extend(2)).isEqualTo(2);
    }

    @Test
    void aCommandUnderWayIsAnsweredWhenItsDeviceIsDetached() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.submit(0, FakeManager.command(FakeManager.EXTEND | FakeManager.SLOW, 5));
        eventually(() -> !manager.slow.isEmpty(), "the command has not come");
        xen.detach(guest.id.domain(), 0);
        assertThat(guest.page.state()).isEqualTo(TpmRing.FINISH);
        assertThat(guest.code(guest.page.packet())).isEqualTo(9);
        byte[] before = guest.page.copy();
        manager.slow.remove().run();
        assertThat(guest.page.copy()).isEqualTo(before);
    }

    @Test
    void aTpmHasOneDeviceAtATime() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        int domain = xen.domain("g2");
        xen.attach(domain, 0, ONE);
        DeviceId second = new DeviceId(domain, 0);
        xen.await(second, "6");
        assertThat(xen.store.read(second.errors() + "/error"))
                .isEqualTo("19 its vTPM " + ONE + " is in use by " + guest.id + "; give each device a uuid of its own");
        assertThat(device(second).problem()).contains("in use by " + guest.id);
        assertThat(guest.extend(1)).isEqualTo(1);
        xen.destroy(domain);
        eventually(() -> xen.store.read(second.errors()) == null, "the error stays");
    }

    @Test
    void anUnknownUuidIsRefusedIfTheOperatorSaysSo() throws Exception {
        stop();
        start(false);
        int domain = xen.domain("g1");
        xen.attach(domain, 0, ONE);
        DeviceId id = new DeviceId(domain, 0);
        xen.await(id, "6");
        assertThat(xen.store.read(id.errors() + "/error"))
                .startsWith("19 no instance has the uuid " + ONE)
                .contains("vtpm:create");
        assertThat(manager.instances()).isEmpty();
        manager.add("by-hand", ONE);
        xen.destroy(domain);
        assertThat(TestGuest.create(xen, "g1", ONE).connect().extend(1)).isEqualTo(1);
    }

    @Test
    void aTpmThatDoesNotStartIsReported() throws Exception {
        manager.add("g1", ONE);
        manager.refuse("start", "its state is damaged");
        int domain = xen.domain("g1");
        xen.attach(domain, 0, ONE);
        DeviceId id = new DeviceId(domain, 0);
        xen.await(id, "6");
        assertThat(xen.store.read(id.errors() + "/error")).contains("its state is damaged");
        assertThat(manager.find(ONE).orElseThrow().record().endpoints()).isEmpty();
    }

    @Test
    void aTpmThatStartsSlowlyDoesNotMakeTheToolstackGiveUp() throws Exception {
        manager.startsWhen = new CompletableFuture<>();
        long begin = System.nanoTime();
        TestGuest guest = TestGuest.create(xen, "g1", ONE);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(9));
        guest.offer();
        guest.page.submit(0, FakeManager.command(FakeManager.EXTEND, 3));
        guest.state("3");
        Thread.sleep(50);
        assertThat(guest.page.state()).isEqualTo(TpmRing.SUBMIT);
        manager.startsWhen.complete(null);
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
    }

    @Test
    void aTpmThatWasUsedByOthersIsPoweredOffAndOnForItsGuest() throws Exception {
        FakeManager.Instance instance = manager.add("g1", ONE);
        manager.start(ONE, null);
        instance.execute(0, FakeManager.command(FakeManager.EXTEND, 100)).join();
        assertThat(TestGuest.create(xen, "g1", ONE).connect().extend(1)).isEqualTo(1);
    }

    @Test
    void aSuspendedTpmIsResumedForItsGuest() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        manager.suspend(ONE);
        assertThat(guest.code(guest.transmit(FakeManager.command(FakeManager.EXTEND, 1))))
                .isEqualTo(9);
        xen.destroy(guest.id.domain());
        TestGuest restored = TestGuest.create(xen, "g1", ONE).connect();
        assertThat(restored.extend(1)).isEqualTo(6);
    }

    @Test
    void aGuestThatMovesToAnotherDomainOfThisHostKeepsItsTpmOn() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        TestGuest moved = TestGuest.create(xen, "g1--incoming", ONE);
        moved.offer();
        moved.state("3");
        assertThat(guest.extend(1)).isEqualTo(6);
        xen.destroy(guest.id.domain());
        xen.await(moved.id, "4");
        assertThat(moved.extend(1)).isEqualTo(7);
    }

    @Test
    void aGuestFromAnotherHostGetsNoNewTpmInPlaceOfItsOwn() throws Exception {
        int domain = xen.domain("g1--incoming");
        xen.attach(domain, 0, ONE);
        DeviceId id = new DeviceId(domain, 0);
        xen.await(id, "6");
        assertThat(xen.store.read(id.errors() + "/error")).contains("it gets none rather than a new one");
        assertThat(manager.instances()).isEmpty();
    }

    @Test
    void aRestartedListenerTakesUpItsGuests() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        stop();
        assertThat(xen.mapped()).isZero();
        assertThat(xen.backendState(guest.id)).isEqualTo("4");
        assertThat(xen.store.read(guest.id.backend() + "/ready")).isEqualTo("0");
        guest.submit(0, FakeManager.command(FakeManager.EXTEND, 1));
        start(true);
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(FakeManager.value(guest.page.packet())).isEqualTo(6);
        assertThat(guest.extend(1)).isEqualTo(7);
    }

    @Test
    void aGuestThatClosedItsEndBeforeTheListenerWasRestartedFindsItsTpmAsItWas() throws Exception {
        for (String end : List.of("2", "5", "6")) {
            TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
            guest.extend(5);
            if (end.equals("6")) {
                xen.store.write(guest.id.frontend() + "/ring-ref", "none");
                guest.state("3");
            } else {
                guest.state(end.equals("2") ? "6" : end);
            }
            xen.await(guest.id, end);
            stop();
            start(true);
            guest.state("6");
            xen.await(guest.id, "2");
            guest.connect();
            assertThat(guest.extend(1)).isEqualTo(6);
            xen.destroy(guest.id.domain());
        }
    }

    @Test
    void aCommandThatIsUnderWayIsAnsweredBeforeTheListenerEnds() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.submit(0, FakeManager.command(FakeManager.EXTEND | FakeManager.SLOW, 5));
        eventually(() -> !manager.slow.isEmpty(), "the command has not come");
        CompletableFuture<Void> stopping = CompletableFuture.runAsync(this::stop);
        Thread.sleep(50);
        manager.slow.remove().run();
        stopping.join();
        assertThat(guest.page.state()).isEqualTo(TpmRing.FINISH);
        assertThat(xen.store.read(guest.id.backend() + "/ready")).isEqualTo("0");
    }

    @Test
    void aLostXenStoreIsFoundAgain() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        xen.store.dropAll();
        assertThat(guest.extend(1)).isEqualTo(6);
    }

    @Test
    void aCommandThatIsSentWhileXenStoreIsLostIsCarriedOutOnce() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        xen.absent = true;
        xen.store.dropAll();
        eventually(() -> listener.report().problem() != null, "the loss is not noticed");
        guest.submit(0, FakeManager.command(FakeManager.EXTEND, 1));
        xen.absent = false;
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(FakeManager.value(guest.page.packet())).isEqualTo(6);
    }

    @Test
    void aGuestThatIsBootedOverAndOverHasItsTpmEachTime() throws Exception {
        int domain = -1;
        for (int boot = 1; boot <= 20; boot++) {
            if (domain >= 0) {
                xen.destroy(domain);
            }
            TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
            domain = guest.id.domain();
            assertThat(guest.extend(3)).isEqualTo(3);
            assertThat(guest.store(1)).isEqualTo(boot);
        }
        assertThat(manager.instances()).hasSize(1);
    }

    @Test
    void aDomainIdThatIsUsedAgainAfterTheHostWasBootedBringsNoConfusion() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        stop();
        xen.store.remove(guest.id.backend());
        xen.store.remove(guest.id.frontend());
        xen.attach(guest.id.domain(), 0, TWO);
        start(true);
        xen.await(guest.id, "2");
        TestGuest other = new TestGuest(xen, guest.id).connect();
        assertThat(other.extend(1)).isEqualTo(1);
        assertThat(manager.state(ONE)).isEqualTo(InstanceState.STOPPED);
        assertThat(manager.find(TWO).orElseThrow().record().endpoints()).containsExactly(guest.id.endpoint());
    }

    @Test
    void aCommandThatACrashedListenerMayHaveBegunFails() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        stop();
        xen.store.write(guest.id.backend() + "/ready", "1");
        guest.submit(0, FakeManager.command(FakeManager.EXTEND, 1));
        start(true);
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(guest.code(guest.page.packet())).isEqualTo(9);
        assertThat(guest.extend(1)).isEqualTo(6);
    }

    @Test
    void aGuestIsNotServedBeforeTheManagerHasItsTpmOnAgain() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.extend(5);
        guest.store(5);
        stop();
        manager.losePower(ONE);
        guest.submit(0, FakeManager.command(FakeManager.STORE, 1));
        start(true);
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(FakeManager.value(guest.page.packet())).isEqualTo(6);
        assertThat(guest.extend(1)).isEqualTo(1);
    }

    @Test
    void aTpmThatAnOperatorStoppedStaysStopped() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        manager.stop(ONE);
        stop();
        start(true);
        xen.awaitNode(guest.id.backend() + "/ready", "1");
        assertThat(guest.code(guest.transmit(FakeManager.command(FakeManager.EXTEND, 1))))
                .isEqualTo(9);
        manager.start(ONE, null);
        assertThat(guest.extend(1)).isEqualTo(1);
    }

    @Test
    void guestsThatWentWhileTheListenerWasAwayLeaveNoTpmOn() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        stop();
        xen.store.remove(guest.id.backend());
        xen.store.remove("/local/domain/" + guest.id.domain());
        start(true);
        eventually(() -> manager.state(ONE) == InstanceState.STOPPED, "the instance runs on");
    }

    @Test
    void whereThereIsNoXenTheListenerWaitsForIt() throws Exception {
        stop();
        xen.absent = true;
        start(true);
        eventually(() -> listener.report().problem() != null, "no problem is told");
        assertThat(listener.report().problem()).isEqualTo("there is no /dev/xen/evtchn");
        xen.absent = false;
        assertThat(TestGuest.create(xen, "g1", ONE).connect().extend(1)).isEqualTo(1);
        assertThat(listener.report().problem()).isNull();
    }

    @Test
    void aCancelledCommandIsAnsweredAndTheNextOneWorks() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.submit(0, FakeManager.command(FakeManager.EXTEND | FakeManager.SLOW, 5));
        eventually(() -> !manager.slow.isEmpty(), "the command has not come");
        guest.page.state(TpmRing.CANCEL);
        xen.signal(guest.id.domain(), guest.port);
        Thread.sleep(20);
        assertThat(guest.page.state()).isEqualTo(TpmRing.CANCEL);
        manager.slow.remove().run();
        assertThat(guest.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(guest.extend(1)).isEqualTo(6);
        guest.page.state(TpmRing.CANCEL);
        xen.signal(guest.id.domain(), guest.port);
        assertThat(guest.page.await(TpmRing.IDLE, 10_000)).isTrue();
    }

    @Test
    void anAnswerThatComesAfterTheGuestHasGoneTouchesNothing() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE).connect();
        guest.submit(0, FakeManager.command(FakeManager.EXTEND | FakeManager.SLOW, 5));
        eventually(() -> !manager.slow.isEmpty(), "the command has not come");
        xen.destroy(guest.id.domain());
        manager.slow.remove().run();
        assertThat(guest.page.state()).isEqualTo(TpmRing.SUBMIT);
    }

    // Domains that are TPMs themselves.

    private void startWithStubdoms(UUID... theirOwn) {
        stop();
        start(true, Set.of(theirOwn));
    }

    private static String hex(byte[] response) {
        return HexFormat.of().withUpperCase().formatHex(response);
    }

    @Test
    void aTpmInADomainOfItsOwnFindsItsKeyAgain() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        assertThat(hex(tpm.transmit(TestVtpmmgr.load()))).isEqualTo("01C40000000A00000003");
        assertThat(hex(tpm.transmit(TestVtpmmgr.save(0xA7)))).isEqualTo("01C40000000A00000000");
        xen.destroy(tpm.id.domain());
        TestGuest again = TestGuest.create(xen, "g1-tpm", ONE).connect();
        assertThat(hex(again.transmit(TestVtpmmgr.load()))).isEqualTo("01C40000003E00000000" + "A7".repeat(52));
        assertThat(vtpmmgr.callers).containsOnly(new StubdomCommands.Caller(ONE, ""));
        assertThat(vtpmmgr.threads).allMatch(name -> name.equals("vtpm-xen-stubdom"));
        assertThat(manager.instances()).isEmpty();
        XenDevice device = device(again.id);
        assertThat(device.stubdom()).isTrue();
        assertThat(device.tpm()).isEqualTo(ONE);
        assertThat(device.counters().commands()).isEqualTo(1);
        assertThat(device.counters().refused()).isZero();
        assertThat(device.problem()).isNull();
    }

    @Test
    void allThatATpmInADomainOfItsOwnAsksIsCarriedAndNothingOfItReachesAnInstance() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        for (int tag : new int[] {0x01C1, 0x01C2, 0x00C1}) {
            assertThat(hex(tpm.transmit(TestVtpmmgr.command(tag, 70))))
                    .isEqualTo(String.format("%04X0000000A00000000", tag + 3));
        }
        assertThat(vtpmmgr.callers).hasSize(3);
        tpm.page.submit(0, TestVtpmmgr.load());
        tpm.page.header(11, TpmRing.SUBMIT, 0, 0);
        xen.signal(tpm.id.domain(), tpm.port);
        assertThat(tpm.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(hex(tpm.page.packet())).isEqualTo("00C40000000A00000019");
        assertThat(vtpmmgr.callers).hasSize(3);
    }

    @Test
    void aGuestReachesNobodysKeyByChoosingATag() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        tpm.transmit(TestVtpmmgr.save(0xA7));
        TestGuest guest = TestGuest.create(xen, "g1", TWO);
        xen.store.writeAll(
                guest.id.frontend() + "/uuid", ONE.toString(),
                guest.id.frontend() + "/backend", tpm.id.backend());
        guest.connect();
        for (byte[] request : List.of(
                TestVtpmmgr.load(),
                TestVtpmmgr.save(1),
                TestVtpmmgr.command(0x01C1, 3),
                TestVtpmmgr.command(0x01C2, 0x02000101))) {
            assertThat(hex(guest.transmit(request))).isEqualTo("00C40000000A0000001E");
        }
        assertThat(vtpmmgr.callers).hasSize(1);
        assertThat(device(guest.id).stubdom()).isFalse();
        assertThat(guest.extend(1)).isEqualTo(1);
        assertThat(manager.instance(TWO)).isNotNull();
    }

    @Test
    void twoTpmsInDomainsOfTheirOwnNeverSeeEachOthersKey() throws Exception {
        startWithStubdoms(ONE, TWO);
        TestGuest first = TestGuest.create(xen, "g1-tpm", ONE).connect();
        TestGuest second = TestGuest.create(xen, "g2-tpm", TWO).connect();
        first.transmit(TestVtpmmgr.save(0xA7));
        assertThat(hex(second.transmit(TestVtpmmgr.load()))).isEqualTo("01C40000000A00000003");
        second.transmit(TestVtpmmgr.save(0xB8));
        assertThat(hex(first.transmit(TestVtpmmgr.load()))).endsWith("A7".repeat(52));
        assertThat(hex(second.transmit(TestVtpmmgr.load()))).endsWith("B8".repeat(52));

        int domain = xen.domain("g3-tpm");
        xen.attach(domain, 0, ONE);
        DeviceId thief = new DeviceId(domain, 0);
        xen.await(thief, "6");
        assertThat(xen.store.read(thief.errors() + "/error")).contains("in use by " + first.id);
    }

    @Test
    void whileNobodyServesTpmsInDomainsOfTheirOwnTheyGetAnErrorAndAfterwardsTheyWork() throws Exception {
        startWithStubdoms(ONE, TWO);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        tpm.transmit(TestVtpmmgr.load());
        stubdoms.unbindCommands(vtpmmgr);
        assertThat(hex(tpm.transmit(TestVtpmmgr.save(0xA7)))).isEqualTo("01C40000000A0000001F");
        assertThat(hex(tpm.transmit(TestVtpmmgr.command(0x00C1, 70)))).isEqualTo("00C40000000A0000001F");
        assertThat(device(tpm.id).problem()).contains("nobody serves TPMs in domains of their own");
        stubdoms.bindCommands(vtpmmgr);
        assertThat(hex(tpm.transmit(TestVtpmmgr.save(0xA7)))).isEqualTo("01C40000000A00000000");
        assertThat(device(tpm.id).problem()).isNull();
    }

    @Test
    void aDomainThatWouldGetNoKeyIsNotLetIn() throws Exception {
        startWithStubdoms(ONE);
        stubdoms.unbindCommands(vtpmmgr);
        int domain = xen.domain("g1-tpm");
        xen.attach(domain, 0, ONE);
        DeviceId id = new DeviceId(domain, 0);
        xen.await(id, "6");
        assertThat(xen.store.read(id.errors() + "/error"))
                .contains("nobody serves")
                .contains("vtpm-listener-legacy");
        xen.destroy(domain);
        stubdoms.bindCommands(vtpmmgr);
        assertThat(hex(TestGuest.create(xen, "g1-tpm", ONE).connect().transmit(TestVtpmmgr.load())))
                .isEqualTo("01C40000000A00000003");
    }

    @Test
    void aTpmThatCouldNotLoadItsKeyDoesNotSaveANewOneOverIt() throws Exception {
        startWithStubdoms(ONE);
        vtpmmgr.keys.put(ONE, new byte[] {1, 2, 3});
        for (boolean missing : new boolean[] {true, false}) {
            TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
            if (missing) {
                stubdoms.unbindCommands(vtpmmgr);
            }
            vtpmmgr.broken = !missing;
            assertThat(hex(tpm.transmit(TestVtpmmgr.load()))).isEqualTo("01C40000000A0000001F");
            stubdoms.bindCommands(vtpmmgr);
            vtpmmgr.broken = false;
            stop();
            start(true, Set.of(ONE));
            xen.awaitNode(tpm.id.backend() + "/ready", "1");
            assertThat(hex(tpm.transmit(TestVtpmmgr.save(0xB8)))).isEqualTo("01C40000000A0000001F");
            assertThat(vtpmmgr.keys.get(ONE)).containsExactly(1, 2, 3);
            xen.destroy(tpm.id.domain());
        }
        TestGuest again = TestGuest.create(xen, "g1-tpm", ONE).connect();
        assertThat(hex(again.transmit(TestVtpmmgr.load()))).endsWith("010203");
        assertThat(hex(again.transmit(TestVtpmmgr.save(0xB8)))).isEqualTo("01C40000000A00000000");
    }

    @Test
    void whatADomainAskedBeforeItWasDestroyedIsDoneBeforeWhatTheNextOneAsks() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        CountDownLatch gate = new CountDownLatch(1);
        vtpmmgr.gate = gate;
        tpm.submit(0, TestVtpmmgr.save(0xA7));
        eventually(() -> vtpmmgr.callers.size() == 1, "the command has not come");
        xen.destroy(tpm.id.domain());
        TestGuest again = TestGuest.create(xen, "g1-tpm", ONE).connect();
        again.submit(0, TestVtpmmgr.load());
        Thread.sleep(30);
        assertThat(vtpmmgr.callers).hasSize(1);
        gate.countDown();
        assertThat(again.page.await(TpmRing.FINISH, 10_000)).isTrue();
        assertThat(hex(again.page.packet())).endsWith("A7".repeat(52));
    }

    @Test
    void aTpmThatIsSlowToGetItsKeyHoldsUpNobody() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        TestGuest guest = TestGuest.create(xen, "g2", TWO).connect();
        CountDownLatch gate = new CountDownLatch(1);
        vtpmmgr.gate = gate;
        tpm.submit(0, TestVtpmmgr.load());
        eventually(() -> vtpmmgr.callers.size() == 1, "the command has not come");
        assertThat(guest.extend(3)).isEqualTo(3);
        gate.countDown();
        assertThat(tpm.page.await(TpmRing.FINISH, 10_000)).isTrue();
    }

    @Test
    void anInstancesUuidIsNoTpmsInADomainOfItsOwn() throws Exception {
        manager.add("mine", ONE);
        startWithStubdoms(ONE);
        int domain = xen.domain("g1-tpm");
        xen.attach(domain, 0, ONE);
        DeviceId id = new DeviceId(domain, 0);
        xen.await(id, "6");
        assertThat(xen.store.read(id.errors() + "/error")).contains("instance 'mine'", "stubdoms");
        assertThat(manager.state(ONE)).isEqualTo(InstanceState.STOPPED);
    }

    @Test
    void aTpmThatIsTakenOffTheListIsServedNoMoreAndGetsNoInstance() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        tpm.transmit(TestVtpmmgr.save(0xA7));
        stop();
        start(true);
        xen.await(tpm.id, "6");
        assertThat(xen.store.read(tpm.id.errors() + "/error")).contains("it gets none rather than a new one");
        assertThat(manager.instances()).isEmpty();
    }

    @Test
    void aTpmInADomainOfItsOwnThatFloodsIsNotListenedTo() throws Exception {
        startWithStubdoms(ONE);
        TestGuest tpm = TestGuest.create(xen, "g1-tpm", ONE).connect();
        for (int i = 0; i < 20_000; i++) {
            xen.signal(tpm.id.domain(), tpm.port);
        }
        eventually(
                () -> {
                    xen.signal(tpm.id.domain(), tpm.port);
                    return device(tpm.id).counters().muted() > 0;
                },
                "it is listened to all the time");
        Thread.sleep(30);
        assertThat(hex(tpm.transmit(TestVtpmmgr.load()))).isEqualTo("01C40000000A00000003");
    }

    // Guests that mean harm.

    @Test
    void aGuestThatFloodsEventsIsNotListenedToAndOthersNoticeNothing() throws Exception {
        TestGuest victim = TestGuest.create(xen, "victim", TWO).connect();
        TestGuest hostile = TestGuest.create(xen, "hostile", ONE).connect();
        int before = xen.delivered();
        long end = System.nanoTime() + 1_000_000_000L;
        long sent = 0;
        long answered = 0;
        while (System.nanoTime() < end) {
            for (int i = 0; i < 1000; i++, sent++) {
                xen.signal(hostile.id.domain(), hostile.port);
            }
            victim.extend(1);
            answered++;
        }
        assertThat(sent).isGreaterThan(20_000);
        assertThat(xen.delivered() - before - answered).isLessThan(500);
        assertThat(device(hostile.id).counters().muted()).isPositive();
        assertThat(device(victim.id).counters().muted()).isZero();
        Thread.sleep(30);
        assertThat(hostile.extend(1)).isEqualTo(1);
    }

    @Test
    void aGuestThatFloodsXenStoreIsLookedAtNowAndThen() throws Exception {
        TestGuest hostile = TestGuest.create(xen, "hostile", ONE).connect();
        int before = xen.store.requests();
        long end = System.nanoTime() + 1_000_000_000L;
        int writes = 0;
        while (System.nanoTime() < end) {
            hostile.state(List.of("5", "6", "3", "9999", "").get(writes++ % 5));
            if (writes % 100 == 0) {
                Thread.sleep(1);
            }
        }
        assertThat(writes).isGreaterThan(2_000);
        // A look is some 15 requests, and may be followed by some more.
        assertThat(xen.store.requests() - before).isLessThan(60 * 60);
        TestGuest other = TestGuest.create(xen, "other", TWO).connect();
        assertThat(other.extend(1)).isEqualTo(1);
        hostile.state("6");
        xen.await(hostile.id, "2");
        hostile.connect();
        assertThat(hostile.extend(1)).isEqualTo(1);
    }

    @Test
    void aGuestThatFloodsXenStoreCannotKeepItsDeviceFromBeingDetached() throws Exception {
        TestGuest hostile = TestGuest.create(xen, "hostile", ONE).connect();
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Void> flood = CompletableFuture.runAsync(() -> {
            for (int i = 0; !done.get(); i++) {
                hostile.state(List.of("3", "4", "6").get(i % 3));
                xen.store.write(hostile.id.frontend() + "/ring-ref", String.valueOf(i));
            }
        });
        Thread.sleep(200);
        long begin = System.nanoTime();
        xen.detach(hostile.id.domain(), 0);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
        done.set(true);
        flood.join();
        eventually(() -> manager.state(ONE) == InstanceState.STOPPED, "the instance runs on");
    }

    @Test
    void garbageInTheGuestsNodesIsRefusedAndNotRepeated() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE);
        for (String garbage : List.of("", "x", "-1", "4294967296", "99999999999999999999", "8 ", "\u0000\n8", "0x8")) {
            xen.store.writeAll(
                    guest.id.frontend() + "/ring-ref", garbage,
                    guest.id.frontend() + "/event-channel", "8",
                    guest.id.frontend() + "/feature-protocol-v2", "1");
            guest.state("3");
            xen.await(guest.id, "6");
            assertThat(xen.store.read(guest.id.errors() + "/error"))
                    .isEqualTo("19 the frontend gave no ring-ref or event-channel");
            guest.state("6");
            xen.await(guest.id, "2");
        }
        guest.offer();
        xen.store.write(guest.id.frontend() + "/event-channel", "77777");
        guest.state("3");
        xen.await(guest.id, "6");
        assertThat(xen.mapped()).isZero();
        guest.state("6");
        xen.await(guest.id, "2");
        guest.connect();
        assertThat(guest.extend(1)).isEqualTo(1);
        eventually(() -> xen.store.read(guest.id.errors()) == null, "the error stays");
    }

    @Test
    void aGuestWithoutVersion2IsRefused() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE);
        guest.offer();
        xen.store.remove(guest.id.frontend() + "/feature-protocol-v2");
        guest.state("3");
        xen.await(guest.id, "6");
        assertThat(xen.store.read(guest.id.errors() + "/error")).contains("version 2 of the protocol");
    }

    @Test
    void whoAGuestIsComesFromTheToolstacksNodesOnly() throws Exception {
        TestGuest guest = TestGuest.create(xen, "g1", ONE);
        xen.store.writeAll(
                guest.id.frontend() + "/uuid", TWO.toString(),
                guest.id.frontend() + "/backend", "/local/domain/0/backend/vtpm/9/0",
                guest.id.frontend() + "/frontend-id", "9");
        guest.connect();
        guest.extend(1);
        assertThat(manager.find(ONE)).isPresent();
        assertThat(manager.find(TWO)).isEmpty();
    }

    @Test
    void nodesOfTheToolstackThatContradictEachOtherAreRefused() throws Exception {
        int domain = xen.domain("g1");
        DeviceId id = new DeviceId(domain, 0);
        xen.store.writeAll(
                id.backend() + "/frontend", "/local/domain/77/device/vtpm/0",
                id.backend() + "/frontend-id", String.valueOf(domain),
                id.backend() + "/online", "1",
                id.backend() + "/state", "1",
                id.backend() + "/uuid", ONE.toString());
        xen.await(id, "6");
        assertThat(xen.store.read(id.errors() + "/error")).contains("its frontend is not " + id.frontend());
        assertThat(manager.instances()).isEmpty();
    }
}
