package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.api.manager.BundleOrder;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;

/** Instances that are exported, and come back from their bundles. */
@Timeout(60)
class BundleTest {
    private static final URI ENDPOINT = URI.create("test:one");
    private static final BundleRecipient HOST = new BundleRecipient.Host(new byte[44]);
    private static final BundleOrder AS_IT_WAS = new BundleOrder(null, null, null, null, List.of());

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
                        "demo", null, TpmFamily.TPM_1_2, null, StartupMode.STATE, true, false, List.of(ENDPOINT)))
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

    @Test
    void anInstanceThatIsDeletedComesBackAsItWas() throws Exception {
        manager.useTransport(uuid, "direct");
        int before = tally();
        byte[] bundle = manager.exportInstance(uuid, HOST);
        assertThat(tally()).as("it goes on").isEqualTo(before + 1);
        InstanceRecord exported = store.records.get(uuid);
        manager.delete(uuid, true);

        assertThat(manager.bundleLock(bundle)).contains(BundleLock.HOST);
        assertThat(manager.bundleLock(new byte[1])).isEmpty();
        ImportedInstance imported = manager.importBundle(AS_IT_WAS, bundle, null);

        assertThat(imported.instance().state()).isEqualTo(InstanceState.STOPPED);
        assertThat(imported.instance().record())
                .isEqualTo(new InstanceRecord(
                        uuid,
                        "demo",
                        TpmFamily.TPM_1_2,
                        Isolation.SHARED,
                        StartupMode.STATE,
                        "direct",
                        List.of(),
                        Wanted.STOPPED,
                        exported.created()));
        assertThat(imported.notes())
                .containsExactly(
                        "It is as it was exported at 1970-01-01T00:00:00Z, after a loss of power.",
                        "Its endpoints are not taken over: test:one.");
        manager.attach(uuid, ENDPOINT);
        manager.start(uuid, null);
        assertThat(tally()).as("after TPM_Startup").isEqualTo(before + 2);
        assertThat(store.bundles.get(0).state()).containsOnlyKeys(StateKind.PERMANENT);
    }

    @Test
    void theOperatorMayWantItOtherwise() throws Exception {
        byte[] bundle = manager.exportInstance(uuid, HOST);
        manager.stop(uuid);
        manager.detach(uuid, ENDPOINT);
        UUID other = new UUID(1, 2);

        assertThatThrownBy(() -> manager.importBundle(AS_IT_WAS, bundle, null))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining(uuid + " already")
                .hasMessageContaining("--uuid");
        assertThatThrownBy(() -> manager.importBundle(ordered(null, other), bundle, null))
                .hasMessageContaining("named 'demo' already");
        BundleOrder order = new BundleOrder("copy", other, Isolation.SHARED, StartupMode.CLEAR, List.of(ENDPOINT));
        InstanceRecord copy =
                manager.importBundle(order, bundle, null).instance().record();

        assertThat(copy.uuid()).isEqualTo(other);
        assertThat(copy.name()).isEqualTo("copy");
        assertThat(copy.startup()).isEqualTo(StartupMode.CLEAR);
        assertThat(manager.find(other).orElseThrow().state()).isEqualTo(InstanceState.RUNNING);
        assertThat(tally()).isPositive();
    }

    private static BundleOrder ordered(String name, UUID uuid) {
        return new BundleOrder(name, uuid, null, null, List.of());
    }

    @Test
    void whatASuspendedOneWasDoingStaysHere() throws Exception {
        manager.suspend(uuid);
        byte[] bundle = manager.exportInstance(uuid, HOST);

        assertThat(manager.importBundle(ordered("copy", new UUID(1, 2)), bundle, null)
                        .notes())
                .contains("What it was doing when it was suspended is not in the bundle.");

        assertThat(manager.find(new UUID(1, 2)).orElseThrow().state()).isEqualTo(InstanceState.STOPPED);
        assertThat(manager.resume(uuid).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void oneThatFailedIsExportedOnlyAfterAnOrder() throws Exception {
        manager.stop(uuid);
        byte[] kept = store.states.get(uuid).get(StateKind.PERMANENT);
        store.states.get(uuid).put(StateKind.PERMANENT, new byte[0]);
        assertThatThrownBy(() -> manager.start(uuid, null)).hasMessageContaining("the tally is missing");

        assertThatThrownBy(() -> manager.exportInstance(uuid, HOST))
                .hasMessageContaining("'demo' was not exported, it has failed")
                .hasMessageContaining("the tally is missing")
                .hasMessageContaining("vtpm:stop");

        store.states.get(uuid).put(StateKind.PERMANENT, kept);
        manager.stop(uuid);
        assertThat(manager.exportInstance(uuid, HOST)).isNotEmpty();
    }

    @Test
    void whatNoEngineTakesIsNotTakenIn() throws Exception {
        InstanceRecord record = store.records.get(uuid);
        InstanceRecord other = new InstanceRecord(
                new UUID(1, 2),
                "other",
                TpmFamily.TPM_1_2,
                Isolation.SHARED,
                StartupMode.CLEAR,
                "\u001b[2Junheard-of",
                List.of(URI.create("test:\u202eeno")),
                Wanted.STOPPED,
                record.created());
        byte[] state = {5};
        store.bundles.add(new InstanceBundle(other, Instant.EPOCH, Map.of(StateKind.PERMANENT, new byte[0])));
        store.bundles.add(new InstanceBundle(other, Instant.EPOCH, Map.of(StateKind.PERMANENT, state)));
        byte[] first = {'b', 0};
        byte[] second = {'b', 1};

        assertThatThrownBy(() -> manager.importBundle(AS_IT_WAS, first, null))
                .hasMessageContaining("'other' was not created, no engine here takes its state: the tally is missing");
        assertThat(store.records).containsOnlyKeys(uuid);
        assertThatThrownBy(() -> manager.importBundle(ordered("a b", null), second, null))
                .hasMessageContaining("'a b' cannot be the name");
        assertThatThrownBy(() -> manager.importBundle(AS_IT_WAS, second, new byte[12]))
                .hasMessageContaining("no instance was imported: the pass phrase is wrong");
        ImportedInstance imported = manager.importBundle(AS_IT_WAS, second, null);
        assertThat(imported.instance().record().transport()).isNull();
        assertThat(imported.notes())
                .contains("Its endpoints are not taken over: test:%E2%80%AEeno.")
                .anyMatch(note -> note.contains("transport that was chosen for it is not here"));
    }

    @Test
    void whatTheStorageRefusesIsPassedOn() throws Exception {
        store.failure = "disk on fire";
        assertThatThrownBy(() -> manager.exportInstance(uuid, HOST))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("'demo' was not exported: disk on fire");
        assertThatThrownBy(() -> manager.bundleLock(new byte[1])).isInstanceOf(VtpmException.class);
        store.failure = "";
        assertThatThrownBy(() -> manager.exportInstance(new UUID(1, 2), HOST)).hasMessageContaining("vtpm:list");
    }
}
