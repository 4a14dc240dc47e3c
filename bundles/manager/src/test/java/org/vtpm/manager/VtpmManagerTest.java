package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.charset.StandardCharsets;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.endorsement.EndorsementAuthority;
import org.vtpm.api.endorsement.EndorsementException;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.engine.TpmModel;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;

@Timeout(60)
class VtpmManagerTest {
    private static final URI ENDPOINT = URI.create("test:one");

    private final MemoryStore store = new MemoryStore();
    private final TallyEngine.Factory engines = new TallyEngine.Factory();
    private final DirectTransport direct = new DirectTransport("direct");
    private final TestHandler handler = new TestHandler();
    private VtpmManagerComponent manager;

    @BeforeEach
    void start() throws Exception {
        manager = boot(Map.of());
    }

    private VtpmManagerComponent boot(Map<String, Object> settings) throws Exception {
        VtpmManagerComponent booted = new VtpmManagerComponent(store, TestConfig.of(settings));
        booted.bindEngine(engines, Map.of());
        booted.bindTransport(direct, Map.of());
        booted.bindHandler(handler, Map.of());
        booted.start();
        return booted;
    }

    @AfterEach
    void stop() {
        manager.stop();
    }

    private static NewInstance order(String name, URI... endpoints) {
        return order(name, true, true, endpoints);
    }

    private InstanceInfo now(InstanceInfo instance) {
        return manager.find(instance.record().uuid()).orElseThrow();
    }

    private int send(URI endpoint, int ordinal) throws Exception {
        byte[] response = handler.open
                .get(endpoint)
                .execute(0, TallyEngine.command(ordinal))
                .get(20, TimeUnit.SECONDS);
        return Responses.code(response) == 0 ? TallyEngine.tally(response) : -1;
    }

    @Test
    void createWithAnEndpointServesItAtOnce() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));

        assertThat(made.state()).isEqualTo(InstanceState.RUNNING);
        assertThat(made.transport()).isEqualTo("direct");
        assertThat(made.endpoints())
                .singleElement()
                .satisfies(e -> assertThat(e.open()).isTrue());
        // The first command was TPM_Startup.
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
    }

    @Test
    void stateSurvivesStopAndStart() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        send(ENDPOINT, 1);
        manager.stop(made.record().uuid());

        assertThat(handler.open).isEmpty();
        assertThat(engines.last.closed).isTrue();
        assertThat(now(made).state()).isEqualTo(InstanceState.STOPPED);

        manager.start(made.record().uuid(), null);
        assertThat(send(ENDPOINT, 1)).isEqualTo(4);
    }

    @Test
    void whatRanIsStartedAgainWithTheManager() throws Exception {
        manager.create(order("runs", ENDPOINT));
        manager.create(order("rests"));
        manager.stop();

        manager = boot(Map.of());
        while (manager.find("runs").orElseThrow().state() != InstanceState.RUNNING) {
            Thread.sleep(5);
        }
        assertThat(manager.find("rests").orElseThrow().state()).isEqualTo(InstanceState.STOPPED);
    }

    @Test
    void takenNamesUuidsAndEndpointsAreRefused() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        UUID uuid = made.record().uuid();

        assertThatThrownBy(() -> manager.create(order("demo"))).hasMessageContaining("'demo'");
        assertThatThrownBy(() -> manager.create(new NewInstance(
                        "other", uuid, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, false, true, List.of())))
                .hasMessageContaining(uuid.toString());
        assertThatThrownBy(() -> manager.create(order("other", ENDPOINT)))
                .hasMessageContaining("test:one")
                .hasMessageContaining("'demo'");
        assertThatThrownBy(() -> manager.create(order("a b"))).hasMessageContaining("'a b'");
        assertThatThrownBy(() -> manager.create(order("x", URI.create("smoke:1"))))
                .hasMessageContaining("test");
        assertThatThrownBy(() -> manager.create(order("x", URI.create("test:!"))))
                .hasMessageContaining("test:name");
        assertThat(manager.instances()).hasSize(1);
        assertThat(store.records).hasSize(1);
    }

    @Test
    void whatCannotBeServedIsNotCreated() {
        assertThatThrownBy(() -> manager.create(order("demo", ENDPOINT, URI.create("test:busy"))))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("in use");
        assertThat(manager.instances()).isEmpty();
        assertThat(store.records).isEmpty();
        assertThat(handler.open).isEmpty();
    }

    @Test
    void commandsOfOneInstanceNeverOverlapAndKeepTheirOrder() throws Exception {
        manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        List<CompletableFuture<byte[]>> responses = new ArrayList<>();
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 50; i++) {
                responses.add(channel.execute(0, TallyEngine.command(i)));
            }
            responses.get(responses.size() - 1).get();
        }
        int expected = 2;
        for (CompletableFuture<byte[]> response : responses) {
            assertThat(TallyEngine.tally(response.get())).isEqualTo(expected++);
        }
        assertThat(engines.last.overlapped).isFalse();
    }

    @Test
    void aFullQueueAnswersRetry() throws Exception {
        manager.stop();
        manager = boot(Map.of("queue_limit", 2));
        manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        TallyEngine engine = engines.last;
        CompletableFuture<byte[]> busy = channel.execute(0, TallyEngine.command(TallyEngine.HANG));
        while (engine.inside.get() == 0) {
            Thread.onSpinWait();
        }
        channel.execute(0, TallyEngine.command(1));
        CompletableFuture<byte[]> waiting = channel.execute(0, TallyEngine.command(1));
        assertThat(Responses.code(channel.execute(0, TallyEngine.command(1)).get()))
                .isEqualTo(0x800);
        engine.release.countDown();
        assertThat(Responses.code(busy.get())).isZero();
        assertThat(Responses.code(waiting.get())).isZero();
    }

    @Test
    void anEngineThatHangsFailsItsInstanceAndNoOther() throws Exception {
        manager.stop();
        manager = boot(Map.of("command_timeout_ms", 300L, "workers", 1));
        InstanceInfo hung = manager.create(order("hung", ENDPOINT));
        TallyEngine engine = engines.last;
        manager.create(order("well", URI.create("test:two")));

        GuestChannel channel = handler.open.get(ENDPOINT);
        CompletableFuture<byte[]> stuck = channel.execute(0, TallyEngine.command(TallyEngine.HANG));
        CompletableFuture<byte[]> behind = channel.execute(0, TallyEngine.command(1));

        assertThat(Responses.code(stuck.get())).isEqualTo(9);
        assertThat(Responses.code(behind.get())).isEqualTo(9);
        assertThat(now(hung).state()).isEqualTo(InstanceState.FAILED);
        assertThat(now(hung).reason()).contains("0x0000DEAD").contains("300 ms");
        // The only worker was lost to the hung engine, and replaced.
        assertThat(send(URI.create("test:two"), 1)).isEqualTo(2);
        while (!engine.closed) {
            Thread.sleep(5);
        }

        manager.stop(hung.record().uuid());
        manager.start(hung.record().uuid(), null);
        assertThat(send(ENDPOINT, 1)).isGreaterThan(0);
    }

    @Test
    void anEngineThatComesBackLateWritesNothing() throws Exception {
        manager.stop();
        manager = boot(Map.of("command_timeout_ms", 300L));
        InstanceInfo hung = manager.create(order("hung", ENDPOINT));
        TallyEngine engine = engines.last;
        CompletableFuture<byte[]> stuck =
                handler.open.get(ENDPOINT).execute(0, TallyEngine.command(TallyEngine.COMPUTE));
        assertThat(Responses.code(stuck.get())).isEqualTo(9);
        manager.stop(hung.record().uuid());
        manager.start(hung.record().uuid(), null);
        int count = send(ENDPOINT, 1);
        engine.release.countDown();
        while (engine.inside.get() > 0) {
            Thread.sleep(5);
        }
        assertThat(send(ENDPOINT, 1)).isEqualTo(count + 1);
        manager.stop(hung.record().uuid());
        manager.start(hung.record().uuid(), null);
        assertThat(send(ENDPOINT, 1)).as("what is stored").isGreaterThan(count + 1);
    }

    @Test
    void aBriefCommandRunsOnTheThreadThatIsOfferedForIt() throws Exception {
        manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        engines.last.brief = true;
        // The lane is idle a moment after it gave its last answer only.
        do {
            assertThat(Responses.code(channel.executeHere(0, TallyEngine.command(1), () -> false)
                            .get()))
                    .isZero();
        } while (engines.last.lastThread != Thread.currentThread());

        assertThat(Responses.code(channel.execute(0, TallyEngine.command(1)).get()))
                .isZero();
        assertThat(engines.last.lastThread).isNotSameAs(Thread.currentThread());
    }

    @Test
    void anyOtherCommandLeavesTheThreadThatIsOfferedAlone() throws Exception {
        manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        CompletableFuture<byte[]> first = channel.executeHere(0, TallyEngine.command(TallyEngine.HANG), () -> false);
        engines.last.brief = true;
        CompletableFuture<byte[]> behind = channel.executeHere(0, TallyEngine.command(1), () -> false);
        assertThat(first).isNotDone();
        assertThat(behind).as("it has to wait for its turn").isNotDone();

        engines.last.release.countDown();
        assertThat(TallyEngine.tally(first.get())).isEqualTo(2);
        assertThat(TallyEngine.tally(behind.get())).isEqualTo(3);
        assertThat(engines.last.overlapped).isFalse();
    }

    @Test
    void aCommandThatMayLastRunsOnTheThreadThatIsOfferedForIt() throws Exception {
        manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        do {
            CompletableFuture<byte[]> answer = channel.executeHere(0, TallyEngine.command(1), () -> true);
            assertThat(Responses.code(answer.get())).isZero();
        } while (engines.last.lastThread != Thread.currentThread());
    }

    @Test
    void anOfferedThreadThatDoesNotComeBackHoldsItsInstanceOnly() throws Exception {
        manager.stop();
        manager = boot(Map.of("command_timeout_ms", 300L, "workers", 1));
        InstanceInfo hung = manager.create(order("hung", ENDPOINT));
        TallyEngine engine = engines.last;
        engine.brief = true;
        manager.create(order("well", URI.create("test:two")));

        GuestChannel channel = handler.open.get(ENDPOINT);
        CompletableFuture<byte[]> returned = new CompletableFuture<>();
        Thread offered = new Thread(
                () -> returned.complete(channel.executeHere(0, TallyEngine.command(TallyEngine.HANG), () -> false)
                        .join()));
        offered.start();
        assertThat(send(URI.create("test:two"), 1)).isEqualTo(2);
        // The time-out interrupts it, as it would a worker.
        assertThat(Responses.code(returned.get())).isEqualTo(9);
        assertThat(now(hung).state()).isEqualTo(InstanceState.FAILED);
        assertThat(Responses.code(channel.executeHere(0, TallyEngine.command(1), () -> false)
                        .get()))
                .isEqualTo(9);
        offered.join();
        assertThat(offered.isInterrupted()).isFalse();
    }

    @Test
    void anEngineThatHangsAtStartupFailsTheStart() throws Exception {
        manager.stop();
        manager = boot(Map.of("command_timeout_ms", 300L));
        engines.startupOrdinal = TallyEngine.HANG;
        UUID uuid = manager.create(order("demo")).record().uuid();

        assertThatThrownBy(() -> manager.start(uuid, null))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("300 ms");
        assertThat(manager.find(uuid).orElseThrow().state()).isEqualTo(InstanceState.FAILED);

        engines.startupOrdinal = 0x99;
        assertThat(manager.start(uuid, null).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void aFaultInAnEngineIsThatCommandsOnly() throws Exception {
        manager.create(order("demo", ENDPOINT));
        assertThat(send(ENDPOINT, TallyEngine.THROW)).isEqualTo(-1);
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                NoClassDefFoundError.class,
                StackOverflowError.class,
                OutOfMemoryError.class,
                AssertionError.class
            })
    void anErrorInAnEngineIsThatCommandsOnly(Class<? extends Error> error) throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        engines.last.fault = error.getConstructor().newInstance();
        assertThat(send(ENDPOINT, TallyEngine.FAULT)).isEqualTo(-1);
        assertThat(send(ENDPOINT, TallyEngine.FAULT)).isEqualTo(-1);
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);

        engines.last.brief = true;
        for (int i = 0; i < 100; i++) {
            assertThat(Responses.code(channel.executeHere(0, TallyEngine.command(TallyEngine.FAULT), () -> false)
                            .get(20, TimeUnit.SECONDS)))
                    .isEqualTo(9);
        }
        engines.last.briefFails = true;
        assertThat(TallyEngine.tally(channel.executeHere(0, TallyEngine.command(1), () -> false)
                        .get(20, TimeUnit.SECONDS)))
                .isEqualTo(3);
        assertThat(now(made).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void anErrorWhileItIsStartedFailsTheInstanceWithTheReason() throws Exception {
        InstanceInfo made = manager.create(order("demo"));
        UUID uuid = made.record().uuid();
        engines.openFaults.set(1);
        assertThatThrownBy(() -> manager.start(uuid, null))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("'demo'")
                .hasMessageContaining("java.lang.OutOfMemoryError")
                .hasMessageContaining("-Xmx");
        assertThat(now(made).state()).isEqualTo(InstanceState.FAILED);
        assertThat(now(made).reason()).contains("java.lang.OutOfMemoryError");

        engines.startupOrdinal = TallyEngine.FAULT;
        assertThatThrownBy(() -> manager.start(uuid, null)).hasMessageContaining("NoClassDefFoundError");
        assertThat(now(made).state()).isEqualTo(InstanceState.FAILED);
        assertThat(engines.last.closed).isTrue();
        assertThat(direct.open).hasValue(0);

        engines.startupOrdinal = 0x99;
        assertThat(manager.start(uuid, null).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void anErrorInAnOrderIsThatOrdersOnly() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        engines.last.snapshotFaults = true;
        assertThatThrownBy(() -> manager.suspend(made.record().uuid()))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("'demo'")
                .hasMessageContaining("NoClassDefFoundError");
        assertThat(now(made).state()).isEqualTo(InstanceState.RUNNING);
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
        engines.last.snapshotFaults = false;
        assertThat(manager.suspend(made.record().uuid()).state()).isEqualTo(InstanceState.SUSPENDED);
    }

    @Test
    void stateThatCannotBeOpenedFailsWithTheReason() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        manager.stop(made.record().uuid());
        store.states.get(made.record().uuid()).clear();

        assertThatThrownBy(() -> manager.start(made.record().uuid(), null))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("the tally is missing");
        assertThat(now(made).state()).isEqualTo(InstanceState.FAILED);
        assertThat(now(made).reason()).contains("the tally is missing");
        assertThat(handler.open).isEmpty();
        assertThat(store.states.get(made.record().uuid())).isEmpty();
    }

    @Test
    void aStoreThatFailsIsAFailedCommandNotAFailedInstance() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        store.failure = "disk full";
        assertThat(send(ENDPOINT, 1)).isEqualTo(-1);
        assertThat(now(made).state()).isEqualTo(InstanceState.RUNNING);
        store.failure = "";
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
    }

    @Test
    void transportsAreSwappedUnderLoadWithoutLosingOrDoublingACommand() throws Exception {
        manager.create(order("demo", ENDPOINT));
        GuestChannel channel = handler.open.get(ENDPOINT);
        List<DirectTransport> retired = new ArrayList<>();
        CompletableFuture<Integer> client = CompletableFuture.supplyAsync(() -> {
            int sent = 0;
            while (retired.size() < 200) {
                byte[] response = channel.execute(0, TallyEngine.command(1)).join();
                sent++;
                if (Responses.code(response) != 0 || TallyEngine.tally(response) != sent + 1) {
                    return -sent;
                }
            }
            return sent;
        });
        DirectTransport current = direct;
        for (int i = 0; i < 200; i++) {
            DirectTransport next = new DirectTransport("t" + i);
            manager.bindTransport(next, Map.of("service.ranking", i + 1));
            manager.unbindTransport(current);
            current.gone = true;
            retired.add(current);
            current = next;
        }
        assertThat(client.get()).isPositive();
        assertThat(retired).allSatisfy(t -> {
            assertThat(t.open).hasValue(0);
            assertThat(t.usedAfterGone).hasValue(0);
        });
    }

    @Test
    void withoutATransportGuestsGetAFailureAndGoOnWhenOneComes() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        manager.unbindTransport(direct);
        assertThat(send(ENDPOINT, 1)).isEqualTo(-1);
        assertThat(now(made).state()).isEqualTo(InstanceState.RUNNING);
        assertThat(now(made).reason()).contains("no transport");
        manager.bindTransport(new DirectTransport("other"), Map.of());
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
        assertThat(now(made).transport()).isEqualTo("other");
        assertThat(now(made).reason()).isNull();
    }

    @Test
    void anOperatorChoosesTheTransport() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        manager.bindTransport(new DirectTransport("other"), Map.of());
        assertThat(now(made).transport()).isEqualTo("direct");
        assertThat(manager.useTransport(made.record().uuid(), "other").transport())
                .isEqualTo("other");
        assertThatThrownBy(() -> manager.useTransport(made.record().uuid(), "pigeon"))
                .hasMessageContaining("pigeon")
                .hasMessageContaining("direct, other");
        assertThat(manager.useTransport(made.record().uuid(), null).transport()).isEqualTo("direct");
    }

    @Test
    void aBrokenLinkIsOpenedAgain() throws Exception {
        manager.create(order("demo", ENDPOINT));
        direct.broken = true;
        assertThat(send(ENDPOINT, 1)).isEqualTo(-1);
        direct.broken = false;
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
        assertThat(direct.open).hasValue(1);
    }

    @Test
    void servicesMayGoAfterTheManagerStopped() throws Exception {
        manager.create(order("demo", ENDPOINT));
        manager.stop();
        manager.unbindTransport(direct);
        manager.unbindEngine(engines);
        manager.unbindHandler(handler);
        assertThat(direct.open).hasValue(0);
        manager = boot(Map.of());
    }

    @Test
    void endpointsFollowTheirListener() throws Exception {
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        manager.unbindHandler(handler);
        assertThat(handler.open).isEmpty();
        assertThat(now(made).endpoints()).singleElement().satisfies(e -> {
            assertThat(e.open()).isFalse();
            assertThat(e.problem()).contains("test:");
        });
        manager.bindHandler(handler, Map.of());
        assertThat(send(ENDPOINT, 1)).isEqualTo(2);
    }

    @Test
    void endpointsAreAttachedAndDetachedWhileItRuns() throws Exception {
        UUID uuid = manager.create(order("demo", ENDPOINT)).record().uuid();
        URI two = URI.create("test:two");
        manager.attach(uuid, two);
        assertThat(send(two, 1)).isEqualTo(2);
        assertThatThrownBy(() -> manager.attach(uuid, URI.create("test:busy"))).hasMessageContaining("in use");
        manager.detach(uuid, ENDPOINT);
        assertThat(handler.open).containsOnlyKeys(two);
        assertThat(store.records.get(uuid).endpoints()).containsExactly(two);
        assertThatThrownBy(() -> manager.detach(uuid, ENDPOINT)).hasMessageContaining("'demo'");
    }

    @Test
    void deletingARunningInstanceNeedsForce() throws Exception {
        UUID uuid = manager.create(order("demo", ENDPOINT)).record().uuid();
        assertThatThrownBy(() -> manager.delete(uuid, false)).hasMessageContaining("--force");
        manager.delete(uuid, true);
        assertThat(manager.find(uuid)).isEmpty();
        assertThat(store.records).isEmpty();
        assertThat(handler.open).isEmpty();
    }

    /** Vouches with its own name and the key. */
    private record TestAuthority(String name, boolean issues) implements EndorsementAuthority {
        @Override
        public byte[] certify(byte[] publicKey, TpmModel model) throws EndorsementException {
            if (name.isEmpty()) {
                throw new EndorsementException("its key is gone");
            }
            return (name + publicKey[0] + model.model()).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public byte[] certificate() {
            return name.getBytes(StandardCharsets.UTF_8);
        }
    }

    private byte[] certificate(InstanceInfo instance) throws VtpmException {
        EndorsementInfo endorsement =
                manager.endorsement(instance.record().uuid()).orElseThrow();
        assertThat(endorsement.publicKey()).containsExactly(7);
        return endorsement.certificate();
    }

    private static NewInstance order(String name, boolean key, boolean certificate, URI... endpoints) {
        return new NewInstance(
                name, null, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, key, certificate, List.of(endpoints));
    }

    @Test
    void newInstancesGetACertificateOfTheBestAuthorityThatIssues() throws Exception {
        manager.bindAuthority(new TestAuthority("off", false), Map.of("service.ranking", 9));
        assertThat(certificate(manager.create(order("before")))).isNull();
        assertThat(manager.authority().name()).isEqualTo("off");

        EndorsementAuthority authority = new TestAuthority("on", true);
        manager.bindAuthority(authority, Map.of());
        InstanceInfo made = manager.create(order("demo", ENDPOINT));
        assertThat(certificate(made)).asString().isEqualTo("on7tally");
        send(ENDPOINT, 1);
        manager.stop(made.record().uuid());
        assertThat(certificate(made)).asString().isEqualTo("on7tally");
        assertThat(manager.authority().certificate()).asString().isEqualTo("on");

        assertThat(certificate(manager.create(order("bare", true, false)))).isNull();
        assertThat(certificate(manager.create(order("keyless", false, true)))).isNull();
        manager.unbindAuthority(authority);
        assertThat(certificate(manager.create(order("after")))).isNull();
    }

    @Test
    void whatCannotBeCertifiedIsNotCreated() throws Exception {
        manager.bindAuthority(new TestAuthority("", true), Map.of());
        assertThatThrownBy(() -> manager.create(order("demo", ENDPOINT)))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("'demo'")
                .hasMessageContaining("its key is gone")
                .hasMessageContaining("--no-ek-cert");
        assertThat(manager.instances()).isEmpty();
        assertThat(store.records).isEmpty();
        assertThat(manager.create(order("demo", true, false, ENDPOINT)).state()).isEqualTo(InstanceState.RUNNING);
    }

    @Test
    void anEndorsementThatCannotBeReadSaysWhy() throws Exception {
        UUID uuid = manager.create(order("demo")).record().uuid();
        store.states.get(uuid).put(StateKind.PERMANENT, new byte[0]);
        assertThatThrownBy(() -> manager.endorsement(uuid))
                .hasMessageContaining("'demo'")
                .hasMessageContaining("the tally is missing");
        assertThatThrownBy(() -> manager.authority()).hasMessageContaining("org.vtpm.ca.local");
    }

    @Test
    void anImportedInstanceGoesOnWhereItWas() throws Exception {
        ImportedInstance imported = manager.importInstance(order("moved", ENDPOINT), foreign(41));

        assertThat(imported.instance().state()).isEqualTo(InstanceState.RUNNING);
        assertThat(imported.notes()).containsExactly("It cannot tell who counted.");
        // The first command was Startup.
        assertThat(send(ENDPOINT, 1)).isEqualTo(43);
    }

    @Test
    void whatCannotBeImportedLeavesNothing() throws Exception {
        manager.create(order("taken"));

        assertThatThrownBy(() -> manager.importInstance(order("taken"), foreign(1)))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("'taken' already");
        assertThatThrownBy(() -> manager.importInstance(order("damaged"), foreign(1, 2)))
                .isInstanceOf(VtpmException.class)
                .hasMessage("instance 'damaged' was not created: it is no tally");
        assertThatThrownBy(() -> manager.importInstance(order("busy", URI.create("test:busy")), foreign(1)))
                .isInstanceOf(VtpmException.class)
                .hasMessageContaining("in use");

        assertThat(manager.instances())
                .extracting(instance -> instance.record().name())
                .containsExactly("taken");
        assertThat(store.instances()).hasSize(1);
        assertThat(manager.importInstance(order("damaged"), foreign(1))
                        .instance()
                        .state())
                .isEqualTo(InstanceState.STOPPED);
    }

    private static ForeignState foreign(int... bytes) {
        byte[] content = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            content[i] = (byte) bytes[i];
        }
        return new ForeignState(ForeignState.Format.SWTPM, content, null);
    }
}
