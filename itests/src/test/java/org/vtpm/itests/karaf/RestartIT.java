package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
import org.apache.karaf.features.BootFinished;
import org.apache.karaf.shell.api.console.SessionFactory;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.wiring.FrameworkWiring;
import org.vtpm.itests.process.Vitals;
import org.vtpm.itests.process.Wait;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * Parts of the product go and come back under guests that work without pause. Each has the effect that docs/architecture.md
 * tells, no other, and costs nothing that lasts. How many rounds, each with all parts, is the system property
 * {@value #ROUNDS}.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class RestartIT {
    private static final String ROUNDS = "vtpm.restart.rounds";
    private static final int DEFAULT_ROUNDS = 4;
    /** Enough for each part to go in every way once. */
    private static final int WARM_UP_ROUNDS = 2;

    private static final int LEGACY = 7;
    private static final Duration LEGACY_PATIENCE = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int STEPS_BETWEEN = 3;

    // How much more may be held at the end: noise, where a bundle that is held costs some hundred classes every time.
    private static final long MOST_HEAP = 4 << 20;
    private static final int MOST_THREADS = 8;
    private static final int MOST_DESCRIPTORS = 8;

    /** What a part's going does to a guest. */
    private enum Effect {
        /** It notices nothing. */
        NOTHING,
        /** It has to connect again. */
        NEW_CONNECTION,
        /** It gets TPM_FAIL until the part is back. */
        NO_ANSWER,
        /** Its TPM has been without power. */
        POWER_CYCLE
    }

    /** A part, and what its going does to the three guests. */
    private enum Part {
        SHELL("org.vtpm.shell", Effect.NOTHING, Effect.NOTHING, Effect.NOTHING),
        ROOT("org.vtpm.root.software", Effect.NOTHING, Effect.NOTHING, Effect.NOTHING),
        SOCKETS("org.vtpm.listener.swtpm", Effect.NEW_CONNECTION, Effect.NEW_CONNECTION, Effect.NOTHING),
        FIFOS("org.vtpm.listener.legacy", Effect.NOTHING, Effect.NOTHING, Effect.NEW_CONNECTION),
        MANAGER("org.vtpm.manager", Effect.POWER_CYCLE, Effect.POWER_CYCLE, Effect.POWER_CYCLE),
        STORAGE("org.vtpm.storage", Effect.POWER_CYCLE, Effect.POWER_CYCLE, Effect.POWER_CYCLE),
        /** Instances in this JVM wait for it, and go on where they were; that of a process notices nothing. */
        ENGINE("org.vtpm.engine.tpm12", Effect.NO_ANSWER, Effect.NOTHING, Effect.NO_ANSWER);

        private final String bundle;
        private final Effect shared;
        private final Effect process;
        private final Effect legacy;

        Part(String bundle, Effect shared, Effect process, Effect legacy) {
            this.bundle = bundle;
            this.shared = shared;
            this.process = process;
            this.legacy = legacy;
        }

        /** In the order of the guests. */
        List<Effect> effects() {
            return List.of(shared, process, legacy);
        }
    }

    private final int rounds = Integer.getInteger(ROUNDS, DEFAULT_ROUNDS);
    private final List<LastingGuest> guests = new ArrayList<>();
    private final List<Load> loads = new ArrayList<>();

    @Inject
    private BundleContext context;

    @Inject
    private SessionFactory sessions;

    @Inject
    @SuppressWarnings("unused") // Injected once all boot features are installed: what the test has to wait for.
    private BootFinished booted;

    private int sharedPort;
    private Osgi osgi;
    private KarafShell shell;

    @Configuration
    public Option[] container() {
        int wanted = Integer.getInteger(ROUNDS, DEFAULT_ROUNDS);
        return Container.of(RestartIT.class, systemProperty(ROUNDS).value(Integer.toString(wanted)));
    }

    @Before
    public void guestsStartToWork() throws Exception {
        osgi = new Osgi(context);
        shell = new KarafShell(sessions);
        sharedPort = Container.freePort();
        shell.run("vtpm:create shared --endpoint tcp:127.0.0.1:" + sharedPort);
        guests.add(new LastingGuest("shared", () -> SocketTpm.tcp(sharedPort)));
        int processPort = Container.freePort();
        shell.run("vtpm:create process --isolation process --endpoint tcp:127.0.0.1:" + processPort);
        guests.add(new LastingGuest("process", () -> SocketTpm.tcp(processPort)));
        shell.run("vtpm:create legacy --endpoint legacy:" + LEGACY);
        Path fifos = Path.of(System.getProperty("karaf.data"), "vtpm", "fifos");
        guests.add(new LastingGuest("legacy", () -> new FifoTpm(fifos, LEGACY, LEGACY_PATIENCE)));
        for (LastingGuest guest : guests) {
            guest.furnish();
            loads.add(Load.start(guest.name(), guest::work));
        }
    }

    @After
    public void guestsEnd() throws Exception {
        for (Load load : loads) {
            load.end();
        }
        shell.run("vtpm:delete shared process legacy --force");
    }

    @Test
    public void everyPartGoesAndComesBack() throws Exception {
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            round(round);
        }
        Vitals before = vitals();
        long children = children();
        for (int round = 0; round < rounds; round++) {
            round(round);
        }
        assertThat(children()).as("processes").isEqualTo(children);
        assertNothingHeld(before);
        assertThat(ContainerLog.faults()).as("errors in the log").isEmpty();
        assertThat(ContainerLog.lines("goes on in another engine"))
                .as("instances that left their engine")
                .hasSizeGreaterThanOrEqualTo(2 * (rounds + WARM_UP_ROUNDS));
        System.out.println("RestartIT: " + rounds + " rounds of " + Part.values().length + " parts; " + guests);
    }

    private void round(int round) throws Exception {
        boolean update = round % 2 == 1;
        for (Part part : Part.values()) {
            update = !update;
            try {
                goAndComeBack(part, update);
            } catch (Exception | AssertionError e) {
                throw new AssertionError(part + " in round " + round + ", " + guests + ": " + e.getMessage(), e);
            }
        }
    }

    private void goAndComeBack(Part part, boolean update) throws Exception {
        List<Integer> interruptions =
                guests.stream().map(LastingGuest::interruptions).toList();
        List<Integer> powerCycles =
                guests.stream().map(LastingGuest::powerCycles).toList();
        Optional<Session> session = part == Part.ENGINE ? Optional.of(openSession()) : Optional.empty();
        if (update && part == Part.ENGINE) {
            // As operators do it: it runs until the update stops it, and again until the refresh does.
            shell.run("bundle:update " + part.bundle);
            refresh(osgi.bundle(part.bundle));
        } else {
            osgi.stop(part.bundle);
            if (update) {
                update(osgi.bundle(part.bundle));
            } else {
                whileGone(part);
            }
        }
        osgi.start(part.bundle);
        allWork();
        if (session.isPresent()) {
            useOwnersSecretIn(session.get());
        }
        for (int i = 0; i < guests.size(); i++) {
            LastingGuest guest = guests.get(i);
            Effect effect = part.effects().get(i);
            assertThat(guest.powerCycles() - powerCycles.get(i))
                    .as("power cycles of " + guest.name())
                    .isEqualTo(effect == Effect.POWER_CYCLE ? 1 : 0);
            if (effect == Effect.NOTHING) {
                assertThat(guest.interruptions())
                        .as("interruptions of " + guest.name())
                        .isEqualTo(interruptions.get(i));
            }
        }
        Wait.until("the shell shows that all run", PATIENCE, () -> {
            assertCalm();
            String list = shell.run("vtpm:list");
            return guests.stream().allMatch(guest -> list.matches("(?s).*" + guest.name() + "[^\n]*RUNNING.*"));
        });
        assertThat(shell.run("vtpm:backends")).doesNotContain("MISSING");
    }

    private Session openSession() throws Exception {
        try (Tpm12Client tpm = new Tpm12Client(SocketTpm.tcp(sharedPort), new SecureRandom())) {
            return tpm.oiap();
        }
    }

    private void useOwnersSecretIn(Session session) throws Exception {
        try (Tpm12Client tpm = new Tpm12Client(SocketTpm.tcp(sharedPort), new SecureRandom())) {
            tpm.execute(Ordinal.OWNER_READ_INTERNAL_PUB, u32(Structures.SRK), Auth.once(session, zeros()))
                    .orFail();
        }
    }

    /** What an operator is told, and guests feel, before the part is back. */
    private void whileGone(Part part) throws Exception {
        switch (part) {
            case SHELL -> assertThat(shell.failure("vtpm:list")).contains("vtpm:list");
            case MANAGER, STORAGE -> assertThat(shell.failure("vtpm:list")).contains("manager");
            case ENGINE -> {
                assertThat(shell.failure("vtpm:create other")).contains("no engine");
                assertThat(shell.run("vtpm:list"))
                        .containsPattern("shared +\\| RUNNING +\\| 1.2 +\\| - ")
                        .containsPattern("process +\\| RUNNING +\\| 1.2 +\\| fifo ")
                        .containsPattern("legacy +\\| RUNNING +\\| 1.2 +\\| - ");
                assertThat(shell.run("vtpm:show shared")).containsPattern("Reason +\\| no engine for TPM 1.2");
            }
            case ROOT, SOCKETS, FIFOS -> assertThat(shell.run("vtpm:list")).doesNotContain("FAILED", "STOPPED");
        }
        for (int i = 0; i < guests.size(); i++) {
            LastingGuest guest = guests.get(i);
            switch (part.effects().get(i)) {
                case NOTHING -> works(guest);
                case NO_ANSWER -> hasNoAnswer(guest);
                case NEW_CONNECTION, POWER_CYCLE -> {}
            }
        }
    }

    private void hasNoAnswer(LastingGuest guest) throws Exception {
        isRefused(guest);
        int steps = guest.steps();
        isRefused(guest);
        assertThat(guest.steps()).as("steps of " + guest.name()).isEqualTo(steps);
    }

    private void isRefused(LastingGuest guest) throws Exception {
        int refusals = guest.refusals();
        Wait.until(guest.name() + " is told that it has no TPM", PATIENCE, () -> {
            assertCalm();
            return guest.refusals() > refusals + STEPS_BETWEEN;
        });
    }

    /** Of a bundle that was stopped; one that runs would be restarted twice, by the update and by the refresh. */
    private void update(Bundle bundle) throws Exception {
        bundle.update();
        refresh(bundle);
    }

    private void refresh(Bundle bundle) throws Exception {
        CountDownLatch refreshed = new CountDownLatch(1);
        context.getBundle(0)
                .adapt(FrameworkWiring.class)
                .refreshBundles(List.of(bundle), event -> refreshed.countDown());
        assertThat(refreshed.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("refreshed")
                .isTrue();
    }

    private void allWork() throws Exception {
        for (LastingGuest guest : guests) {
            works(guest);
        }
    }

    private void works(LastingGuest guest) throws Exception {
        int steps = guest.steps();
        Wait.until(guest.name() + " works", PATIENCE, () -> {
            assertCalm();
            return guest.steps() > steps + STEPS_BETWEEN;
        });
    }

    private void assertCalm() throws Exception {
        for (Load load : loads) {
            load.check();
        }
    }

    private static long children() {
        return ProcessHandle.current().children().count();
    }

    private static Vitals vitals() throws Exception {
        return Vitals.of(ProcessHandle.current().pid());
    }

    private static void assertNothingHeld(Vitals before) throws Exception {
        Wait.until("what the rounds took is given back", PATIENCE, () -> {
            Vitals after = vitals();
            if (after.heap() > before.heap() + MOST_HEAP
                    || after.threads() > before.threads() + MOST_THREADS
                    || after.descriptors() > before.descriptors() + MOST_DESCRIPTORS) {
                throw new IllegalStateException("it holds " + after + ", before the rounds " + before);
            }
            System.out.println("RestartIT: before " + before + ", after " + after);
            return true;
        });
    }
}
