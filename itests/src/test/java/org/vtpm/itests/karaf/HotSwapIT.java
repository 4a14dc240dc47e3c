package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;

import java.security.SecureRandom;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
import org.vtpm.itests.process.Wait;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * Providers are replaced under two guests that send commands without pause: every command succeeds, none is lost and none
 * runs twice. How often, for each kind of provider, is the system property {@value #ROUNDS}.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class HotSwapIT {
    private static final String ROUNDS = "vtpm.swap.rounds";
    private static final int DEFAULT_ROUNDS = 200;

    /** What serves now, as the shell shows it. */
    @FunctionalInterface
    private interface Serving {
        String now() throws Exception;
    }

    private final int rounds = Integer.getInteger(ROUNDS, DEFAULT_ROUNDS);
    private final Traffic measured = new Traffic();
    private final Traffic owned = new Traffic();

    @Inject
    private BundleContext context;

    @Inject
    private SessionFactory sessions;

    @Inject
    @SuppressWarnings("unused") // Injected once all boot features are installed: what the tests have to wait for.
    private BootFinished booted;

    private Osgi osgi;
    private KarafShell shell;
    private ChainGuest chain;
    private Load extending;
    private Load owning;

    @Configuration
    public Option[] container() {
        int wanted = Integer.getInteger(ROUNDS, DEFAULT_ROUNDS);
        return Container.of(HotSwapIT.class, systemProperty(ROUNDS).value(Integer.toString(wanted)));
    }

    @Before
    public void guestsStartToWork() throws Exception {
        osgi = new Osgi(context);
        shell = new KarafShell(sessions);
        int chainPort = Container.freePort();
        shell.run("vtpm:create chain --endpoint tcp:127.0.0.1:" + chainPort);
        chain = new ChainGuest(new Tpm12Client(measured.count(SocketTpm.tcp(chainPort)), new SecureRandom()));
        extending = Load.start("extending", chain::extend);
        int ownerPort = Container.freePort();
        shell.run("vtpm:create owner --endpoint tcp:127.0.0.1:" + ownerPort);
        OwnerGuest owner = new OwnerGuest(ownerPort, owned, () -> shell.run("vtpm:restart owner"));
        owning = Load.start("owning", owner::own);
    }

    @After
    public void everyCommandSucceeded() throws Exception {
        try (ChainGuest last = chain) {
            owning.end();
            extending.end();
            last.verify();
            assertThat(shell.run("vtpm:list")).containsPattern("chain.*RUNNING").containsPattern("owner.*RUNNING");
            assertThat(shell.run("vtpm:backends"))
                    .containsPattern("BigNumberProvider +\\| gmp +\\| preferred")
                    .containsPattern("BigNumberProvider +\\| java +\\| alternative")
                    .containsPattern("EngineTransport +\\| loopback +\\| preferred")
                    .containsPattern("EngineTransport +\\| fifo +\\| alternative");
            assertThat(ContainerLog.faults()).isEmpty();
            System.out.println("HotSwapIT: " + rounds + " swaps during " + measured.answered() + " and "
                    + owned.answered() + " commands, of these " + owned.answered(Ordinal.TAKE_OWNERSHIP)
                    + " of TPM_TakeOwnership");
        } finally {
            shell.run("vtpm:delete chain owner --force");
        }
    }

    @Test
    public void bigNumberProvidersAreSwapped() throws Exception {
        Pattern preferred = Pattern.compile("BigNumberProvider +\\| (\\w+) +\\| preferred");
        Serving serving = () -> find(preferred, shell.run("vtpm:backends"));
        assertThat(serving.now()).isEqualTo("gmp");
        for (int round = 0; round < rounds; round++) {
            computeInFlight();
            swap("org.vtpm.bignum.gmp", serving, "gmp", "java", () -> owned.answered(Ordinal.TAKE_OWNERSHIP));
        }
    }

    @Test
    public void transportsAreSwapped() throws Exception {
        Pattern carrying = Pattern.compile("Transport +\\| (\\S+)");
        Serving serving = () -> find(carrying, shell.run("vtpm:show chain"));
        assertThat(serving.now()).isEqualTo("loopback");
        for (int round = 0; round < rounds / 2; round++) {
            swap("org.vtpm.transport.loopback", serving, "loopback", "fifo", owned::answered);
        }
        shell.run("vtpm:transport chain fifo");
        shell.run("vtpm:transport owner fifo");
        assertThat(serving.now()).isEqualTo("fifo");
        for (int round = rounds / 2; round < rounds; round++) {
            swap("org.vtpm.transport.fifo", serving, "fifo", "loopback", owned::answered);
        }
    }

    @Test
    public void enginesAreSwapped() throws Exception {
        String original = "org.vtpm.engine.tpm12";
        Bundle copy = BundleCopy.install(context, osgi.bundle(original));
        try {
            String serving = original;
            String resting = copy.getSymbolicName();
            for (int round = 0; round < rounds; round++) {
                osgi.start(resting);
                swapEngine(serving);
                String stopped = serving;
                serving = resting;
                resting = stopped;
            }
            osgi.start(original);
        } finally {
            copy.uninstall();
        }
        // Once more if it was the copy that served last.
        assertThat(ContainerLog.lines("Instance chain goes on in another engine"))
                .hasSize(rounds + rounds % 2);
    }

    /** Stops the engine that serves, while it runs commands of both guests, and waits for the other to answer both. */
    private void swapEngine(String serving) throws Exception {
        computeInFlight();
        osgi.stop(serving);
        int measuredAtStop = measured.answered();
        int ownersAtStop = owned.answered();
        Wait.until("the other engine answers both guests", () -> {
            extending.check();
            owning.check();
            return measured.answered() > measuredAtStop && owned.answered() > ownersAtStop;
        });
    }

    /** Waits for a command under way that computes with big numbers for long. */
    private void computeInFlight() throws Exception {
        Wait.until("an owner is being made", () -> {
            owning.check();
            return owned.begun(Ordinal.TAKE_OWNERSHIP) > owned.answered(Ordinal.TAKE_OWNERSHIP);
        });
    }

    /**
     * Stops what serves until the other has answered both guests, and starts it again.
     *
     * @param ownersDone how many of the commands that the provider is for the second guest has had answered
     */
    private void swap(String bundle, Serving serving, String stopped, String other, IntSupplier ownersDone)
            throws Exception {
        osgi.stop(bundle);

        int measuredAtStop = measured.answered();
        int ownersAtStop = ownersDone.getAsInt();
        assertThat(serving.now()).isEqualTo(other);
        // One of each may have been under way, and may have finished with the provider that was stopped.
        Wait.until(other + " answers both guests", () -> {
            extending.check();
            owning.check();
            return measured.answered() > measuredAtStop + 1 && ownersDone.getAsInt() > ownersAtStop + 1;
        });
        assertThat(serving.now()).isEqualTo(other);

        osgi.start(bundle);

        Wait.until(stopped + " serves again", () -> serving.now().equals(stopped));
    }

    private static String find(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        assertThat(matcher.find()).as(text).isTrue();
        return matcher.group(1);
    }
}
