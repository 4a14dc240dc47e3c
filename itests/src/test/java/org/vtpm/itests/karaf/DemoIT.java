package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
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
import org.vtpm.itests.imported.Belongings;
import org.vtpm.itests.process.Swtpm;
import org.vtpm.itests.process.Wait;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** An operator runs an instance from the shell, and a guest feels it. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class DemoIT {
    private static final int PCR = 10;
    private static final byte[] MEASUREMENT = sha1(new byte[] {1, 2, 3});
    private static final byte[] OWNER = sha1(new byte[] {4, 5, 6});

    private final int port = Container.freePort();

    @Inject
    private SessionFactory sessions;

    @Inject
    @SuppressWarnings("unused") // Injected once all boot features are installed: what the tests have to wait for.
    private BootFinished booted;

    private KarafShell shell;

    @Configuration
    public Option[] container() {
        return Container.of(DemoIT.class);
    }

    @Before
    public void createDemo() throws Exception {
        shell = new KarafShell(sessions);
        assertThat(shell.run("vtpm:create demo --no-ek --endpoint tcp:127.0.0.1:" + port))
                .contains("demo: RUNNING", "tcp:127.0.0.1:" + port);
    }

    @After
    public void deleteDemo() throws Exception {
        if (exists("demo")) {
            shell.run("vtpm:delete demo --force");
        }
    }

    @Test
    public void demoAnswersAsSoonAsItIsCreated() throws Exception {
        try (Tpm12Client guest = Guests.at(port)) {
            byte[] extended = guest.extend(PCR, MEASUREMENT).orFail().body();

            assertThat(extended).isEqualTo(sha1(zeros(), MEASUREMENT));
            assertThat(guest.pcrRead(PCR).orFail().body()).isEqualTo(extended);
            assertThat(guest.getRandom(16).orFail().body()).hasSize(4 + 16);
            assertThat(Guests.owned(guest)).isFalse();
        }
    }

    @Test
    public void listAndShowTellWhatItDoes() throws Exception {
        assertThat(shell.run("vtpm:list")).contains("demo", "RUNNING", "1.2", "loopback", "tcp:127.0.0.1:" + port);
        assertThat(shell.run("vtpm:list --json")).contains("\"name\": \"demo\"", "\"state\": \"RUNNING\"");
        assertThat(shell.run("vtpm:show demo")).contains("RUNNING", "tcp:127.0.0.1:" + port + ": open");
        assertThat(shell.run("vtpm:show demo --json"))
                .contains("\"name\": \"demo\"", "\"isolation\": \"shared\"", "\"open\": true", "\"reason\": null");
    }

    @Test
    public void aStoppedInstanceIsNotServed() throws Exception {
        assertThat(shell.run("vtpm:stop demo")).contains("demo: STOPPED");
        assertThat(Guests.refused(port)).isTrue();

        assertThat(shell.run("vtpm:start demo")).contains("demo: RUNNING");
        try (Tpm12Client guest = Guests.at(port)) {
            guest.pcrRead(PCR).orFail();
        }
    }

    @Test
    public void restartIsAPowerCycle() throws Exception {
        try (Tpm12Client guest = Guests.at(port)) {
            guest.createEndorsementKey().orFail();
            guest.takeOwnership(OWNER, zeros()).orFail();
            guest.extend(PCR, MEASUREMENT).orFail();
        }

        assertThat(shell.run("vtpm:restart demo")).contains("demo: RUNNING");

        try (Tpm12Client guest = Guests.at(port)) {
            assertThat(guest.pcrRead(PCR).orFail().body()).isEqualTo(zeros());
            assertThat(Guests.owned(guest)).isTrue();
        }
    }

    @Test
    public void endpointsComeAndGoWhileItRuns() throws Exception {
        int second = Container.freePort();
        try (Tpm12Client guest = Guests.at(port)) {
            shell.run("vtpm:attach demo tcp:127.0.0.1:" + second);
            try (Tpm12Client other = Guests.at(second)) {
                byte[] extended = guest.extend(PCR, MEASUREMENT).orFail().body();
                assertThat(other.pcrRead(PCR).orFail().body()).isEqualTo(extended);
            }
            shell.run("vtpm:detach demo tcp:127.0.0.1:" + second);
            assertThat(Guests.refused(second)).isTrue();
            guest.pcrRead(PCR).orFail();
        }
    }

    @Test
    public void movingToAnotherTransportKeepsTheTpmAsItIs() throws Exception {
        try (Tpm12Client guest = Guests.at(port)) {
            byte[] extended = guest.extend(PCR, MEASUREMENT).orFail().body();

            assertThat(shell.run("vtpm:transport demo fifo")).contains("fifo", "operator");
            assertThat(guest.pcrRead(PCR).orFail().body()).isEqualTo(extended);

            assertThat(shell.run("vtpm:transport demo default")).contains("loopback", "default");
            assertThat(guest.pcrRead(PCR).orFail().body()).isEqualTo(extended);
        }
        assertThat(shell.failure("vtpm:transport demo pigeon")).contains("pigeon", "demo", "fifo, loopback");
    }

    @Test
    public void aRunningInstanceIsDeletedByForceOnly() throws Exception {
        assertThat(shell.failure("vtpm:delete demo")).contains("'demo' runs", "--force");
        assertThat(exists("demo")).isTrue();

        shell.run("vtpm:delete demo --force");

        assertThat(exists("demo")).isFalse();
        assertThat(Guests.refused(port)).isTrue();
        assertThat(shell.failure("vtpm:start demo")).contains("No instance 'demo'");
    }

    @Test
    public void whatIsTakenIsRefused() throws Exception {
        UUID uuid = UUID.randomUUID();
        shell.run("vtpm:create twin --no-ek --uuid " + uuid);
        try {
            assertThat(shell.failure("vtpm:create demo")).contains("'demo' already");
            assertThat(shell.failure("vtpm:create other --uuid " + uuid)).contains(uuid + " already");
            assertThat(shell.failure("vtpm:create other --endpoint tcp:127.0.0.1:" + port))
                    .contains("belongs to instance 'demo'");
            assertThat(shell.failure("vtpm:create other --endpoint pigeon:coop"))
                    .contains("pigeon");
            assertThat(shell.failure("vtpm:create .hidden")).contains(".hidden");
            assertThat(exists("other")).isFalse();
        } finally {
            shell.run("vtpm:delete twin");
        }
    }

    @Test
    public void aProcessOfItsOwnIsShownAndItsDeathNoticed() throws Exception {
        int own = Container.freePort();
        shell.run("vtpm:create lonely --isolation process --endpoint tcp:127.0.0.1:" + own);
        try {
            try (Tpm12Client guest = Guests.at(own)) {
                guest.takeOwnership(OWNER, zeros()).orFail();
                guest.extend(PCR, MEASUREMENT).orFail();
            }
            ProcessHandle vtpmd = ProcessHandle.of(pid("lonely")).orElseThrow();
            assertThat(vtpmd.parent()).contains(ProcessHandle.current());

            vtpmd.destroyForcibly();

            Wait.until(
                    "the death is noticed", () -> shell.run("vtpm:show lonely").contains("FAILED"));
            assertThat(shell.run("vtpm:show lonely")).contains("vtpmd ended by signal 9");

            shell.run("vtpm:restart lonely");
            assertThat(pid("lonely")).isNotEqualTo(vtpmd.pid());
            try (Tpm12Client guest = Guests.at(own)) {
                assertThat(Guests.owned(guest)).isTrue();
                assertThat(guest.pcrRead(PCR).orFail().body()).isEqualTo(zeros());
            }
        } finally {
            shell.run("vtpm:delete lonely --force");
        }
        assertThat(ProcessHandle.current().descendants()).isEmpty();
    }

    @Test
    public void aTpmOfSwtpmGoesOnHere() throws Exception {
        Path folder = Files.createTempDirectory("swtpm");
        int own = Container.freePort();
        String line = "vtpm:import moved " + folder + " --endpoint tcp:127.0.0.1:" + own;
        Belongings belongings;
        Map<String, String> before;
        try (Swtpm swtpm = Swtpm.start(folder);
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(1))) {
            belongings = Belongings.acquire(tpm);
            assertThat(shell.failure(line)).contains("swtpm still runs");
        }
        try (Swtpm swtpm = Swtpm.start(folder);
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(2))) {
            tpm.startup(Structures.ST_CLEAR).orFail();
            before = belongings.inventory(tpm);
        }
        byte[] file = Files.readAllBytes(folder.resolve("tpm-00.permall"));
        assertThat(shell.failure("vtpm:import demo " + folder)).contains("'demo' already");
        assertThat(shell.failure(line + " --passphrase-file " + folder.resolve("swtpm.log")))
                .contains("'moved' was not created", "not encrypted");
        assertThat(exists("moved")).isFalse();

        assertThat(shell.run(line)).contains("moved: RUNNING", "note     ");
        try (Tpm12Client guest = Guests.at(own)) {
            assertThat(belongings.inventory(guest)).containsExactlyEntriesOf(before);
            assertThat(belongings.wrappedKeySigns(guest)).isTrue();
            assertThat(belongings.unseal(guest)).isEqualTo(Belongings.SECRET);
        } finally {
            shell.run("vtpm:delete moved --force");
        }
        assertThat(folder.resolve("tpm-00.permall")).hasBinaryContent(file);
    }

    @Test
    public void backendsNamesWhoServesEachService() throws Exception {
        assertThat(shell.run("vtpm:backends"))
                .containsPattern("EngineTransport +\\| loopback +\\| preferred")
                .containsPattern("EngineTransport +\\| fifo +\\| alternative")
                .containsPattern("BigNumberProvider +\\| gmp +\\| preferred")
                .containsPattern("BigNumberProvider +\\| java +\\| alternative")
                .containsPattern("RootOfTrust +\\| software +\\| preferred, for development only")
                .doesNotContain("MISSING");
    }

    @Test
    public void aSettingMadeAtTheShellAppliesAndIsKept() throws Exception {
        Path file = Path.of(System.getProperty("karaf.etc"), "org.vtpm.manager.cfg");
        assertThat(file).content().doesNotContainPattern("(?m)^ *transport");
        shell.run("config:property-set -p org.vtpm.manager transport fifo");
        try {
            assertThat(file).content().containsPattern("(?m)^ *transport *= *fifo");
            Wait.until(
                    "the manager heeds it", () -> shell.run("vtpm:show demo").matches("(?s).*Transport +\\| fifo.*"));
        } finally {
            shell.run("config:property-set -p org.vtpm.manager transport ''");
        }
        Wait.until(
                "the manager heeds it", () -> shell.run("vtpm:show demo").matches("(?s).*Transport +\\| loopback.*"));
    }

    private boolean exists(String name) throws Exception {
        return shell.run("vtpm:list --json").contains("\"name\": \"" + name + "\"");
    }

    private long pid(String name) throws Exception {
        Matcher pid = Pattern.compile("\"pid\": (\\d+)").matcher(shell.run("vtpm:show --json " + name));
        assertThat(pid.find()).isTrue();
        return Long.parseLong(pid.group(1));
    }
}
