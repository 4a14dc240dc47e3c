package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.storage.StateException;

/** Instances that are suspended and resumed, and what may come in between. */
@Timeout(60)
class SuspendTest {
    private static final URI ENDPOINT = URI.create("test:one");
    private static final int TPM_FAIL = 9;

    private final TallyEngine.Factory engines = new TallyEngine.Factory();
    private final DirectTransport direct = new DirectTransport("direct");
    private TestHandler handler;
    private MemoryStore store = new MemoryStore();
    private VtpmManagerComponent manager;
    private UUID uuid;

    @BeforeEach
    void start() throws Exception {
        boot(Map.of());
        uuid = manager.create(new NewInstance(
                        "demo", null, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, true, false, List.of(ENDPOINT)))
                .record()
                .uuid();
    }

    @AfterEach
    void stop() {
        manager.stop();
    }

    private void boot(Map<String, Object> settings) throws Exception {
        handler = new TestHandler();
        manager = new VtpmManagerComponent(store, TestConfig.of(settings));
        manager.bindEngine(engines, Map.of());
        manager.bindTransport(direct, Map.of());
        manager.bindHandler(handler, Map.of());
        manager.start();
    }

    /** Ends the manager without any order, and starts another on what was stored then. */
    private void crashTo(MemoryStore left) throws Exception {
        store.guard = (updated, changes) -> {};
        manager.stop();
        store = left;
        boot(Map.of());
        while (now().state() == InstanceState.STARTING) {
            Thread.sleep(5);
        }
    }

    private InstanceInfo now() {
        return manager.find(uuid).orElseThrow();
    }

    private Map<StateKind, byte[]> stored() {
        return store.states.get(uuid);
    }

    private byte[] send(int ordinal) throws Exception {
        return handler.open
                .get(ENDPOINT)
                .execute(0, TallyEngine.command(ordinal))
                .get(20, TimeUnit.SECONDS);
    }

    private int count() throws Exception {
        return TallyEngine.sincePowerOn(send(1));
    }

    @Test
    void aResumedInstanceGoesOnWhereItWas() throws Exception {
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
        TallyEngine first = engines.last;

        assertThat(manager.suspend(uuid).state()).isEqualTo(InstanceState.SUSPENDED);

        assertThat(first.closed).isTrue();
        assertThat(handler.open).isEmpty();
        assertThat(direct.open).hasValue(0);
        assertThat(stored()).containsKey(StateKind.VOLATILE);
        assertThat(manager.suspend(uuid).state()).isEqualTo(InstanceState.SUSPENDED);

        assertThat(manager.resume(uuid).state()).isEqualTo(InstanceState.RUNNING);

        assertThat(engines.last).isNotSameAs(first);
        assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
        assertThat(manager.resume(uuid).state()).isEqualTo(InstanceState.RUNNING);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void itStaysSuspendedWhileTheManagerIsAway() throws Exception {
        count();
        manager.suspend(uuid);
        crashTo(store.crashed());

        assertThat(now().state()).isEqualTo(InstanceState.SUSPENDED);
        assertThat(handler.open).isEmpty();

        manager.resume(uuid);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void commandsBehindTheSuspensionFailAsThoseOfAStoppedInstance() throws Exception {
        GuestChannel channel = handler.open.get(ENDPOINT);
        TallyEngine engine = engines.last;
        CompletableFuture<byte[]> busy = channel.execute(0, TallyEngine.command(TallyEngine.HANG));
        while (engine.inside.get() == 0) {
            Thread.onSpinWait();
        }
        CompletableFuture<InstanceInfo> suspension = CompletableFuture.supplyAsync(() -> {
            try {
                return manager.suspend(uuid);
            } catch (VtpmException e) {
                throw new AssertionError(e);
            }
        });
        engine.release.countDown();
        assertThat(suspension.get().state()).isEqualTo(InstanceState.SUSPENDED);
        assertThat(Responses.code(busy.get())).isZero();
        assertThat(Responses.code(channel.execute(0, TallyEngine.command(1)).get()))
                .isEqualTo(TPM_FAIL);
        assertThat(engine.overlapped).isFalse();

        manager.resume(uuid);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void onlyWhatRunsIsSuspendedAndOnlyWhatIsSuspendedResumed() throws Exception {
        manager.stop(uuid);
        assertThatThrownBy(() -> manager.suspend(uuid))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("not run");
        assertThatThrownBy(() -> manager.resume(uuid))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("not suspended");
        assertThat(manager.discard(uuid).state()).isEqualTo(InstanceState.STOPPED);
        assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
    }

    @Test
    void aSnapshotIsNotLostByMistake() throws Exception {
        count();
        manager.suspend(uuid);

        assertThatThrownBy(() -> manager.start(uuid, null))
                .hasMessageContaining("vtpm:resume")
                .hasMessageContaining("--discard");
        assertThatThrownBy(() -> manager.stop(uuid)).hasMessageContaining("is suspended");
        assertThatThrownBy(() -> manager.delete(uuid, false)).hasMessageContaining("--force");
        assertThat(now().state()).isEqualTo(InstanceState.SUSPENDED);

        assertThat(manager.discard(uuid).state()).isEqualTo(InstanceState.STOPPED);
        assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
        manager.start(uuid, null);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);

        manager.suspend(uuid);
        manager.delete(uuid, true);
        assertThat(store.records).isEmpty();
    }

    @Test
    void aSnapshotThatCannotBeUsedFailsTheInstanceAndStaysAsItIs() throws Exception {
        count();
        manager.suspend(uuid);
        byte[] whole = stored().get(StateKind.VOLATILE);
        for (byte[] unusable : new byte[][] {{1}, {77, 2}}) {
            stored().put(StateKind.VOLATILE, unusable);

            assertThatThrownBy(() -> manager.resume(uuid))
                    .hasMessageContaining("'demo'")
                    .hasMessageContaining("the snapshot is another's")
                    .hasMessageContaining("--discard");

            assertThat(now().state()).isEqualTo(InstanceState.FAILED);
            assertThat(now().reason()).contains("the snapshot is another's");
            assertThat(stored().get(StateKind.VOLATILE)).isEqualTo(unusable);
            assertThat(handler.open).isEmpty();
            assertThatThrownBy(() -> manager.start(uuid, null)).hasMessageContaining("--discard");
        }
        stored().put(StateKind.VOLATILE, whole);
        manager.resume(uuid);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void aSnapshotThatIsMissingIsNotReplacedByAPowerCycle() throws Exception {
        manager.suspend(uuid);
        stored().remove(StateKind.VOLATILE);
        assertThatThrownBy(() -> manager.resume(uuid)).hasMessageContaining("no snapshot");
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        manager.discard(uuid);
        assertThat(manager.start(uuid, null).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void withoutAnEngineItStaysSuspended() throws Exception {
        manager.suspend(uuid);
        manager.unbindEngine(engines);
        assertThatThrownBy(() -> manager.resume(uuid)).hasMessageContaining("vtpm:backends");
        assertThat(now().state()).isEqualTo(InstanceState.SUSPENDED);
        manager.bindEngine(engines, Map.of());
        assertThat(now().state()).isEqualTo(InstanceState.SUSPENDED);
        assertThat(manager.resume(uuid).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void anEngineThatGivesNoSnapshotRunsOn() throws Exception {
        engines.last.snapshotFails = true;
        assertThatThrownBy(() -> manager.suspend(uuid))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("not stopped");
        assertThat(now().state()).isEqualTo(InstanceState.RUNNING);
        assertThat(count()).isEqualTo(2);
    }

    @Test
    void anEngineThatHangsOverItsSnapshotFails() throws Exception {
        manager.modified(TestConfig.of(Map.of("command_timeout_ms", 300L)));
        engines.last.snapshotHangs = true;
        assertThatThrownBy(() -> manager.suspend(uuid))
                .hasMessageContaining("'demo' was not suspended")
                .hasMessageContaining("300 ms");
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
    }

    @Test
    void whatCannotBeStoredRunsOn() throws Exception {
        count();
        store.guard = (updated, changes) -> {
            if (changes != null && changes.containsKey(StateKind.VOLATILE)) {
                throw new StateException("disk full");
            }
        };
        assertThatThrownBy(() -> manager.suspend(uuid)).hasMessageContaining("disk full");
        assertThat(count()).isEqualTo(3);

        store.guard = (updated, changes) -> {
            if (updated != null) {
                throw new StateException("disk full");
            }
        };
        assertThatThrownBy(() -> manager.suspend(uuid)).hasMessageContaining("disk full");
        assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
        assertThat(count()).isEqualTo(4);
        assertThat(now().record().wanted()).isEqualTo(Wanted.RUNNING);
    }

    @Test
    void aSnapshotThatCanBeNeitherKeptNorErasedEndsTheEngine() throws Exception {
        count();
        store.guard = (updated, changes) -> {
            if (updated != null || changes.get(StateKind.VOLATILE).length == 0) {
                throw new StateException("disk full");
            }
        };
        assertThatThrownBy(() -> manager.suspend(uuid)).hasMessageContaining("'demo'");
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        assertThat(engines.last.closed).isTrue();
        store.guard = (updated, changes) -> {};
        manager.start(uuid, null);
        assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
        assertThat(count()).as("after TPM_Startup").isEqualTo(2);
    }

    @Test
    void aSnapshotThatCannotBeUsedUpIsNotUsed() throws Exception {
        count();
        manager.suspend(uuid);
        store.guard = (updated, changes) -> {
            if (updated == null) {
                throw new StateException("disk full");
            }
        };
        assertThatThrownBy(() -> manager.resume(uuid)).hasMessageContaining("disk full");
        assertThat(now().state()).isEqualTo(InstanceState.FAILED);
        assertThat(engines.last.closed).isTrue();
        assertThat(handler.open).isEmpty();
        store.guard = (updated, changes) -> {};
        manager.resume(uuid);
        assertThat(count()).isEqualTo(3);
    }

    @Test
    void aCrashLeavesItSuspendedOrWithoutItsSnapshotNeverResumedTwice() throws Exception {
        count();
        List<MemoryStore> crashes = new ArrayList<>();
        store.guard = (updated, changes) -> crashes.add(store.crashed());
        manager.suspend(uuid);
        crashes.add(store.crashed());
        manager.resume(uuid);
        crashes.add(store.crashed());
        store.guard = (updated, changes) -> {};
        count();
        crashes.add(store.crashed());
        assertThat(crashes).hasSize(7);
        List<InstanceState> found = new ArrayList<>();
        for (MemoryStore crash : crashes) {
            crashTo(crash);
            found.add(now().state());
            if (now().state() == InstanceState.SUSPENDED) {
                manager.resume(uuid);
                assertThat(count()).isEqualTo(3);
            } else {
                assertThat(count()).as("after TPM_Startup").isEqualTo(2);
            }
            assertThat(stored()).containsOnlyKeys(StateKind.PERMANENT);
        }
        // before and after the snapshot, suspended, before the record and the erasure of a resumption, after it
        assertThat(found)
                .containsExactly(
                        InstanceState.RUNNING,
                        InstanceState.RUNNING,
                        InstanceState.SUSPENDED,
                        InstanceState.SUSPENDED,
                        InstanceState.RUNNING,
                        InstanceState.RUNNING,
                        InstanceState.RUNNING);
    }
}
