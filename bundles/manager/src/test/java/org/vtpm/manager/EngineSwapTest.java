package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;

/** The service that makes engines goes and comes under instances that run, and what may happen in between. */
@Timeout(60)
class EngineSwapTest {
    private static final URI ENDPOINT = URI.create("test:one");
    private static final URI OTHER_ENDPOINT = URI.create("test:two");
    private static final int TPM_FAIL = 9;

    private final TallyEngine.Factory engines = new TallyEngine.Factory();
    private final TallyEngine.Factory others = new TallyEngine.Factory();
    private final DirectTransport direct = new DirectTransport("direct");
    private TestHandler handler;
    private MemoryStore store = new MemoryStore();
    private VtpmManagerComponent manager;
    private UUID uuid;
    private TallyEngine first;

    @BeforeEach
    void start() throws Exception {
        boot(Map.of());
        manager.bindEngine(engines, Map.of());
        uuid = create("demo", ENDPOINT);
        first = engines.last;
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @AfterEach
    void stop() {
        manager.stop();
    }

    private void boot(Map<String, Object> settings) throws Exception {
        handler = new TestHandler();
        manager = new VtpmManagerComponent(store, TestConfig.of(settings));
        manager.bindTransport(direct, Map.of());
        manager.bindHandler(handler, Map.of());
        manager.start();
    }

    private UUID create(String name, URI endpoint) throws Exception {
        NewInstance order =
                new NewInstance(name, null, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, true, false, List.of(endpoint));
        return manager.create(order).record().uuid();
    }

    private InstanceInfo now() {
        return manager.find(uuid).orElseThrow();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(5);
        }
    }

    private byte[] send(URI endpoint, int ordinal) throws Exception {
        return handler.open
                .get(endpoint)
                .execute(0, TallyEngine.command(ordinal))
                .get(20, TimeUnit.SECONDS);
    }

    private int count() throws Exception {
        return TallyEngine.sincePowerOn(send(ENDPOINT, 1));
    }

    /** Lets engines come, and waits until a guest's command reaches one: a command that fails is not counted. */
    private void come(TallyEngine.Factory coming) throws Exception {
        int before = coming.opened.get();
        manager.bindEngine(coming, Map.of());
        await(() -> coming.opened.get() > before);
    }

    private void assertWaits(String reason) throws Exception {
        assertThat(now().state()).isEqualTo(InstanceState.RUNNING);
        assertThat(now().transport()).isNull();
        assertThat(now().reason()).contains(reason);
        assertThat(handler.open).containsKey(ENDPOINT);
        assertThat(direct.open).hasValue(0);
        assertThat(Responses.code(send(ENDPOINT, 1))).isEqualTo(TPM_FAIL);
    }

    private static void assertZeroed(TallyEngine left) {
        assertThat(left.given).hasSize(2).containsOnly(0);
    }

    @Test
    void itGoesOnWhereItWasWhenAnEngineComes() throws Exception {
        List<StateKind> written = new ArrayList<>();
        store.guard = (updated, changes) -> written.addAll(changes.keySet());

        manager.unbindEngine(engines);

        assertThat(first.closed).isTrue();
        assertWaits("no engine for TPM 1.2");
        assertThat(first.given).containsExactly(2, 2);
        assertThatThrownBy(() -> create("other", OTHER_ENDPOINT)).hasMessageContaining("no engine for TPM 1.2");

        come(others);

        assertThat(count()).isEqualTo(3);
        assertThat(now().reason()).isNull();
        assertThat(now().transport()).isEqualTo("direct");
        assertZeroed(first);
        assertThat(written).as("written by the command alone").containsExactly(StateKind.PERMANENT);
    }

    @Test
    void enginesAreSwappedUnderLoadWithoutLosingOrDoublingACommand() throws Exception {
        GuestChannel channel = handler.open.get(ENDPOINT);
        CountDownLatch swapped = new CountDownLatch(1);
        CompletableFuture<Integer> client = CompletableFuture.supplyAsync(() -> {
            int sent = 2;
            while (swapped.getCount() > 0) {
                byte[] response = channel.execute(0, TallyEngine.command(1)).join();
                sent++;
                if (Responses.code(response) != 0
                        || (TallyEngine.tally(response) & 0xFF) != (sent & 0xFF)
                        || (TallyEngine.sincePowerOn(response) & 0xFF) != (sent & 0xFF)) {
                    return -sent;
                }
            }
            return sent;
        });
        TallyEngine.Factory serving = engines;
        TallyEngine.Factory resting = others;
        for (int i = 0; i < 200; i++) {
            TallyEngine left = serving.last;
            int stored = store.states.get(uuid).get(StateKind.PERMANENT)[0];
            manager.bindEngine(resting, Map.of());
            manager.unbindEngine(serving);
            assertThat(left.closed).isTrue();
            assertThat(left.overlapped).isFalse();
            assertZeroed(left);
            TallyEngine.Factory next = resting;
            resting = serving;
            serving = next;
            // Some commands reach each engine.
            await(() -> client.isDone() || store.states.get(uuid).get(StateKind.PERMANENT)[0] != stored);
        }
        swapped.countDown();
        assertThat(client.get()).isGreaterThan(200);
        assertThat(engines.opened).hasValue(101);
        assertThat(others.opened).hasValue(100);
    }

    @Test
    void aBetterEngineTakesOverOnlyWhenItsOwnGoes() throws Exception {
        manager.bindEngine(others, Map.of("service.ranking", 1));
        assertThat(count()).isEqualTo(3);
        assertThat(others.opened).hasValue(0);
        manager.unbindEngine(engines);
        assertThat(count()).isEqualTo(4);
        assertThat(others.opened).hasValue(1);
    }

    @Test
    void theCommandThatRunsEndsOnTheEngineThatGoes() throws Exception {
        CompletableFuture<byte[]> busy = handler.open.get(ENDPOINT).execute(0, TallyEngine.command(TallyEngine.HANG));
        await(() -> first.inside.get() == 1);
        CompletableFuture<Void> going = CompletableFuture.runAsync(() -> manager.unbindEngine(engines));
        CompletableFuture<byte[]> behind = handler.open.get(ENDPOINT).execute(0, TallyEngine.command(1));
        assertThat(first.closed).isFalse();
        first.release.countDown();
        going.get();

        assertThat(TallyEngine.sincePowerOn(busy.get())).isEqualTo(3);
        // It came before or after the engine went.
        int ran = Responses.code(behind.get()) == 0 ? 4 : 3;
        assertThat(first.overlapped).isFalse();
        come(engines);
        assertThat(count()).isEqualTo(ran + 1);
    }

    @Test
    void anEngineThatGivesNoSnapshotFailsItsInstance() throws Exception {
        first.snapshotFails = true;
        manager.unbindEngine(engines);
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        assertThat(now().reason())
                .contains("bundle of its engine was stopped")
                .contains("no snapshot")
                .contains("vtpm:restart");
        assertThat(first.closed).isTrue();
        manager.bindEngine(engines, Map.of());
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        manager.stop(uuid);
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @Test
    void anErrorInTheEngineThatGoesFailsItsInstance() throws Exception {
        first.snapshotFaults = true;
        manager.unbindEngine(engines);
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        assertThat(now().reason()).contains("no snapshot").contains("NoClassDefFoundError");
        assertThat(first.closed).isTrue();
        manager.bindEngine(engines, Map.of());
        manager.stop(uuid);
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @Test
    void anErrorInTheEngineThatComesDoesNotCostTheSnapshot() throws Exception {
        manager.unbindEngine(engines);
        engines.openFaults.set(1);
        manager.bindEngine(engines, Map.of());
        await(() -> String.valueOf(now().reason()).contains("java.lang.OutOfMemoryError"));
        manager.unbindEngine(engines);
        come(engines);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void anEngineThatHangsOverItsSnapshotFailsItsInstanceAndNoOther() throws Exception {
        create("other", OTHER_ENDPOINT);
        manager.modified(TestConfig.of(Map.of("command_timeout_ms", 300L)));
        first.snapshotHangs = true;
        CompletableFuture<Void> going = CompletableFuture.runAsync(() -> manager.unbindEngine(engines));
        await(() -> now().state() == InstanceState.FAILED);
        assertThat(now().reason()).contains("leave its engine").contains("300 ms");
        come(others);
        assertThat(TallyEngine.sincePowerOn(send(OTHER_ENDPOINT, 1))).isEqualTo(2);

        manager.stop(uuid);
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
        TallyEngine second = others.last;
        int opened = others.opened.get();
        first.release.countDown();
        await(() -> first.closed);
        going.get();
        await(() -> first.given.length > 0 && first.given[0] == 0);
        assertThat(others.opened)
                .as("the snapshot that came late is not resumed")
                .hasValue(opened);
        assertThat(second.closed).isFalse();
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void anEngineThatHangsInACommandFailsAsEver() throws Exception {
        manager.modified(TestConfig.of(Map.of("command_timeout_ms", 300L)));
        CompletableFuture<byte[]> stuck = handler.open.get(ENDPOINT).execute(0, TallyEngine.command(TallyEngine.HANG));
        await(() -> first.inside.get() == 1);
        manager.unbindEngine(engines);
        assertThat(Responses.code(stuck.get())).isEqualTo(TPM_FAIL);
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        assertThat(now().reason()).contains("0x0000DEAD");
        manager.bindEngine(engines, Map.of());
        manager.stop(uuid);
        manager.start(uuid, null);
        assertThat(count()).isEqualTo(2);
    }

    @Test
    void anEngineThatRefusesTheSnapshotDoesNotCostIt() throws Exception {
        others.refuses = true;
        manager.bindEngine(others, Map.of("service.ranking", 1));
        manager.unbindEngine(engines);
        assertWaits("the snapshot is of another make");
        assertThat(now().reason()).contains("vtpm:restart");
        come(engines);
        assertThat(count()).isEqualTo(3);
        assertZeroed(first);
    }

    @Test
    void whatAllEnginesRefuseIsPoweredOnAnewByAnOperatorOnly() throws Exception {
        others.refuses = true;
        manager.bindEngine(others, Map.of());
        manager.unbindEngine(engines);
        manager.bindTransport(new DirectTransport("spare"), Map.of());
        assertWaits("the snapshot is of another make");
        manager.stop(uuid);
        assertZeroed(first);
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @Test
    void stateThatCannotBeOpenedFailsTheInstance() throws Exception {
        manager.unbindEngine(engines);
        store.failure = "the state file is damaged";
        manager.bindEngine(engines, Map.of());
        await(() -> now().state() == InstanceState.FAILED);
        assertThat(now().reason()).contains("the state file is damaged").contains("vtpm:restart");
        assertZeroed(first);
        store.failure = "";
        manager.stop(uuid);
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @Test
    void stateThatChangedMeanwhileDoesNotGoWithTheSnapshot() throws Exception {
        manager.unbindEngine(engines);
        byte[] known = store.states.get(uuid).put(StateKind.PERMANENT, new byte[] {77});
        manager.bindEngine(engines, Map.of());
        manager.bindEngine(others, Map.of());
        await(() -> now().reason().contains("; the snapshot is another's"));
        assertWaits("vtpm:restart");
        store.states.get(uuid).put(StateKind.PERMANENT, known);
        manager.unbindEngine(engines);
        await(() -> now().reason() == null);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void itIsStoppedWhileItWaits() throws Exception {
        manager.unbindEngine(engines);
        assertThat(manager.stop(uuid).state()).isEqualTo(InstanceState.STOPPED);
        assertThat(handler.open).isEmpty();
        assertZeroed(first);
        assertThatThrownBy(() -> manager.start(uuid, null)).hasMessageContaining("no engine for TPM 1.2");
        manager.bindEngine(engines, Map.of());
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @Test
    void ordersThatItFulfilsAlreadyLeaveItWaiting() throws Exception {
        manager.unbindEngine(engines);
        manager.start(uuid, null);
        manager.resume(uuid);
        manager.useTransport(uuid, "direct");
        assertWaits("no engine for TPM 1.2");
        come(engines);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void itIsSuspendedWhileItWaits() throws Exception {
        manager.unbindEngine(engines);
        assertThat(manager.suspend(uuid).state()).isEqualTo(InstanceState.SUSPENDED);
        assertThat(store.states.get(uuid).get(StateKind.VOLATILE)).containsExactly(2, 2);
        assertZeroed(first);
        crashTo(store.crashed(), Map.of());
        manager.bindEngine(engines, Map.of());
        assertThat(engines.opened).as("suspended, it does not go on by itself").hasValue(1);
        manager.resume(uuid);
        assertThat(store.states.get(uuid)).containsOnlyKeys(StateKind.PERMANENT);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void itIsDeletedWhileItWaits() throws Exception {
        manager.unbindEngine(engines);
        assertThatThrownBy(() -> manager.delete(uuid, false)).hasMessageContaining("--force");
        manager.delete(uuid, true);
        assertZeroed(first);
        assertThat(store.states).isEmpty();
        manager.bindEngine(engines, Map.of());
        assertThat(create("demo", ENDPOINT)).isNotEqualTo(uuid);
        assertThat(count()).isEqualTo(2);
    }

    @Test
    void afterTheManagersEndItIsPoweredOnAnew() throws Exception {
        manager.unbindEngine(engines);
        MemoryStore crashed = store.crashed();
        manager.stop();
        assertZeroed(first);
        for (MemoryStore left : List.of(store, crashed)) {
            crashTo(left, Map.of());
            assertThat(now().state()).isEqualTo(InstanceState.STOPPED);
            manager.bindEngine(engines, Map.of());
            await(() -> handler.open.containsKey(ENDPOINT));
            assertThat(now().state()).isEqualTo(InstanceState.RUNNING);
            byte[] answer = send(ENDPOINT, 1);
            assertThat(TallyEngine.sincePowerOn(answer)).as("after TPM_Startup").isEqualTo(2);
            assertThat(TallyEngine.tally(answer)).isEqualTo(4);
        }
    }

    /** Ends the manager without any order, and starts another, without engines, on what was stored then. */
    private void crashTo(MemoryStore left, Map<String, Object> settings) throws Exception {
        manager.stop();
        manager.unbindEngine(engines);
        store = left;
        boot(settings);
    }

    @Test
    void whatHadNotStartedWhenItsEngineWentIsStartedWhenOneComes() throws Exception {
        UUID other = create("other", OTHER_ENDPOINT);
        crashTo(store.crashed(), Map.of("workers", 1));
        int opened = engines.opened.get();
        engines.startupOrdinal = TallyEngine.HANG;
        manager.bindEngine(engines, Map.of());
        await(() -> engines.opened.get() > opened && engines.last.inside.get() == 1);
        CompletableFuture<Void> going = CompletableFuture.runAsync(() -> manager.unbindEngine(engines));
        await(this::noEngine);
        engines.last.release.countDown();
        going.get();

        assertThat(manager.instances())
                .extracting(InstanceInfo::state)
                .containsExactlyInAnyOrder(InstanceState.RUNNING, InstanceState.STOPPED);

        engines.startupOrdinal = 1;
        manager.bindEngine(engines, Map.of());
        await(() -> manager.instances().stream()
                .allMatch(instance -> instance.state() == InstanceState.RUNNING && instance.reason() == null));
        await(() -> handler.open.size() == 2);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
        assertThat(manager.find(other).orElseThrow().transport()).isEqualTo("direct");
    }

    private boolean noEngine() {
        try {
            manager.endorsement(uuid);
            return false;
        } catch (VtpmException e) {
            return e.getMessage().contains("no engine for TPM 1.2");
        }
    }

    @Test
    void transportAndEngineComeInAnyOrder() throws Exception {
        manager.unbindTransport(direct);
        manager.unbindEngine(engines);
        assertWaits("no engine for TPM 1.2");
        come(engines);
        await(() -> now().reason() != null && now().reason().contains("no transport"));
        assertWaits("no transport");
        manager.bindTransport(direct, Map.of());
        assertThat(count()).isEqualTo(3);

        manager.unbindEngine(engines);
        manager.unbindTransport(direct);
        DirectTransport other = new DirectTransport("other");
        manager.bindTransport(other, Map.of());
        assertWaits("no engine for TPM 1.2");
        come(engines);
        assertThat(count()).isEqualTo(4);
        assertThat(now().transport()).isEqualTo("other");
    }
}
