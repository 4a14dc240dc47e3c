package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
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
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.storage.StateSnapshot;

/** State that is put by, and instances that are taken back to it. */
@Timeout(60)
class StateSnapshotTest {
    private static final URI ENDPOINT = URI.create("test:one");

    private final TallyEngine.Factory engines = new TallyEngine.Factory();
    private final TestHandler handler = new TestHandler();
    private final MemoryStore store = new MemoryStore();
    private VtpmManagerComponent manager;
    private UUID uuid;

    @BeforeEach
    void start() throws Exception {
        manager = new VtpmManagerComponent(store, TestConfig.of(Map.of()));
        manager.bindEngine(engines, Map.of());
        manager.bindTransport(new DirectTransport("direct"), Map.of());
        manager.bindHandler(handler, Map.of());
        manager.start();
        uuid = manager.create(new NewInstance(
                        "demo", null, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, true, false, List.of(ENDPOINT)))
                .record()
                .uuid();
    }

    @AfterEach
    void stop() {
        manager.stop();
    }

    private int tally() throws Exception {
        return TallyEngine.tally(
                handler.open.get(ENDPOINT).execute(0, TallyEngine.command(1)).get(20, TimeUnit.SECONDS));
    }

    private InstanceState state() {
        return manager.find(uuid).orElseThrow().state();
    }

    @Test
    void aStoppedInstanceIsTakenBack() throws Exception {
        int before = tally();
        manager.takeStateSnapshot(uuid, "good");
        assertThat(tally()).isEqualTo(before + 1);
        assertThat(manager.stateSnapshots(uuid)).extracting(StateSnapshot::name).containsExactly("good");
        manager.stop(uuid);

        assertThat(manager.restoreStateSnapshot(uuid, "good").state()).isEqualTo(InstanceState.STOPPED);

        manager.start(uuid, null);
        assertThat(tally()).as("after TPM_Startup").isEqualTo(before + 2);
        manager.dropStateSnapshot(uuid, "good");
        assertThat(manager.stateSnapshots(uuid)).isEmpty();
    }

    @Test
    void whatRunsOrIsSuspendedIsLeftAlone() throws Exception {
        manager.takeStateSnapshot(uuid, "good");
        int before = tally();
        assertThatThrownBy(() -> manager.restoreStateSnapshot(uuid, "good"))
                .hasMessageContaining("'demo' was not restored")
                .hasMessageContaining("vtpm:stop");
        assertThat(tally()).isEqualTo(before + 1);

        manager.suspend(uuid);
        assertThatThrownBy(() -> manager.restoreStateSnapshot(uuid, "good")).hasMessageContaining("is suspended");
        manager.resume(uuid);
        assertThat(tally()).isEqualTo(before + 2);
    }

    @Test
    void whatIsBeingStartedIsLeftAlone() throws Exception {
        manager.takeStateSnapshot(uuid, "good");
        manager.stop(uuid);
        engines.startupOrdinal = TallyEngine.HANG;
        CompletableFuture<Void> starting = CompletableFuture.runAsync(() -> {
            try {
                manager.start(uuid, null);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        while (state() != InstanceState.STARTING) {
            Thread.onSpinWait();
        }
        CompletableFuture<Void> restoring =
                CompletableFuture.runAsync(() -> assertThatThrownBy(() -> manager.restoreStateSnapshot(uuid, "good"))
                        .hasMessageContaining("it runs"));
        while (engines.last.inside.get() == 0) {
            Thread.onSpinWait();
        }
        engines.last.release.countDown();
        restoring.get();
        starting.get();
        assertThat(state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void aFailedInstanceIsTakenBackAndStopped() throws Exception {
        manager.takeStateSnapshot(uuid, "good");
        manager.stop(uuid);
        store.states.get(uuid).put(StateKind.PERMANENT, new byte[0]);
        assertThatThrownBy(() -> manager.start(uuid, null)).hasMessageContaining("the tally is missing");
        assertThat(state()).isEqualTo(InstanceState.FAILED);

        assertThat(manager.restoreStateSnapshot(uuid, "good").reason()).isNull();

        assertThat(state()).isEqualTo(InstanceState.STOPPED);
        assertThat(store.records.get(uuid).wanted()).isEqualTo(Wanted.STOPPED);
        manager.start(uuid, null);
        assertThat(state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void oneThatCannotBeResumedIsTakenBackToo() throws Exception {
        manager.takeStateSnapshot(uuid, "good");
        manager.suspend(uuid);
        store.states.get(uuid).put(StateKind.VOLATILE, new byte[1]);
        assertThatThrownBy(() -> manager.resume(uuid)).hasMessageContaining("the snapshot is another's");

        assertThat(manager.restoreStateSnapshot(uuid, "good").state()).isEqualTo(InstanceState.STOPPED);

        manager.start(uuid, null);
        assertThat(state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void whatTheStorageRefusesLeavesAllAsItWas() throws Exception {
        manager.takeStateSnapshot(uuid, "good");
        assertThatThrownBy(() -> manager.takeStateSnapshot(uuid, "good"))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("already");
        assertThatThrownBy(() -> manager.dropStateSnapshot(uuid, "bad")).hasMessageContaining("'demo'");
        manager.stop(uuid);
        byte[] kept = store.states.get(uuid).get(StateKind.PERMANENT);
        assertThatThrownBy(() -> manager.restoreStateSnapshot(uuid, "bad"))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("no snapshot bad");
        assertThat(store.states.get(uuid).get(StateKind.PERMANENT)).isSameAs(kept);

        store.failure = "disk on fire";
        assertThatThrownBy(() -> manager.stateSnapshots(uuid)).hasMessageContaining("disk on fire");
        store.failure = "";
    }

    @Test
    void nobodysSnapshotsAreNone() {
        UUID nobody = new UUID(1, 2);
        assertThatThrownBy(() -> manager.stateSnapshots(nobody)).hasMessageContaining("vtpm:list");
        assertThatThrownBy(() -> manager.takeStateSnapshot(nobody, "a")).hasMessageContaining("vtpm:list");
        assertThatThrownBy(() -> manager.restoreStateSnapshot(nobody, "a")).hasMessageContaining("vtpm:list");
        assertThatThrownBy(() -> manager.dropStateSnapshot(nobody, "a")).hasMessageContaining("vtpm:list");
    }
}
