package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.apache.karaf.shell.support.CommandException;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.transport.EngineTransport;

class CommandsTest {
    private static final URI TCP = URI.create("tcp:127.0.0.1:6545");

    private final FakeManager manager = new FakeManager();
    private KarafShell shell;

    @BeforeEach
    void startShell() {
        FakeContext services = new FakeContext();
        services.add(EngineTransport.class, FakeContext.provider(EngineTransport.class, Map.of("name", "fifo")), 50);
        shell = new KarafShell(manager, services.context());
        shell.register(
                Create.class,
                ListInstances.class,
                Show.class,
                Start.class,
                Stop.class,
                Restart.class,
                Suspend.class,
                Resume.class,
                Delete.class,
                Attach.class,
                Detach.class,
                Transport.class,
                ShowAuthority.class,
                InstanceNames.class,
                EndpointUris.class,
                TransportNames.class);
    }

    @AfterEach
    void stopShell() {
        shell.close();
    }

    @Test
    void createNeedsNothingButName() throws Exception {
        String output = shell.run("vtpm:create demo");

        assertThat(manager.lastOrder)
                .isEqualTo(new NewInstance(
                        "demo", null, TpmFamily.TPM_1_2, null, StartupMode.CLEAR, true, true, List.of()));
        assertThat(output).contains("demo: STOPPED", "uuid     " + uuid("demo"));
    }

    @Test
    void instancesAreSuspendedAndResumed() throws Exception {
        manager.add("a", InstanceState.RUNNING, null);
        manager.add("b", InstanceState.STOPPED, null);

        assertThatThrownBy(() -> shell.run("vtpm:suspend b a")).hasMessage("b does not run");
        assertThat(shell.run("vtpm:list")).contains("SUSPENDED");
        assertThat(shell.run("vtpm:show a")).contains("SUSPENDED");
        assertThat(shell.run("vtpm:show a --json")).contains("\"state\": \"SUSPENDED\"");
        assertThat(shell.run("vtpm:resume a")).contains("a: RUNNING");
        fails("vtpm:resume a", "a is not suspended");

        assertThat(manager.orders).containsExactly("suspend a", "resume a");
    }

    @Test
    void aSnapshotIsGivenUpOnlyWhenTheOperatorSaysSo() throws Exception {
        manager.add("a", InstanceState.SUSPENDED, null);

        assertThat(shell.run("vtpm:start a --discard")).contains("a: RUNNING");
        shell.run("vtpm:start a");

        assertThat(manager.orders).containsExactly("discard a", "start a", "start a");
    }

    @Test
    void createTakesOptionsAfterName() throws Exception {
        UUID uuid = UUID.fromString("11111111-2222-3333-4444-555555555555");

        String output = shell.run("vtpm:create demo --endpoint tcp:127.0.0.1:6545 --endpoint=unix:/run/demo.sock"
                + " --family 1.2 --no-ek --no-ek-cert --isolation process --startup none --uuid " + uuid);

        assertThat(manager.lastOrder)
                .isEqualTo(new NewInstance(
                        "demo",
                        uuid,
                        TpmFamily.TPM_1_2,
                        Isolation.PROCESS,
                        StartupMode.NONE,
                        false,
                        false,
                        List.of(TCP, URI.create("unix:/run/demo.sock"))));
        assertThat(output).contains("demo: RUNNING", "endpoint tcp:127.0.0.1:6545", "endpoint unix:/run/demo.sock");
    }

    @Test
    void createSaysThatACertificateIsMissing() throws Exception {
        manager.endorsement = new EndorsementInfo(new byte[] {1}, null);
        assertThat(shell.run("vtpm:create bare"))
                .contains("note     Its endorsement key has no certificate", "vtpm:ca");
        assertThat(shell.run("vtpm:create wanted-so --no-ek-cert")).doesNotContain("note");

        manager.endorsement = new EndorsementInfo(new byte[] {1}, new byte[] {2});
        assertThat(shell.run("vtpm:create certified")).doesNotContain("note");
    }

    @Test
    void createTakesOptionsOnBothSidesOfName() throws Exception {
        shell.run("vtpm:create --endpoint tcp:127.0.0.1:6545 demo --endpoint unix:/run/demo.sock");

        assertThat(manager.lastOrder)
                .extracting(NewInstance::endpoints, InstanceOfAssertFactories.LIST)
                .containsExactly(TCP, URI.create("unix:/run/demo.sock"));
    }

    @Test
    void createSaysWhatIsWrong() {
        fails("vtpm:create demo --colour red", "Undefined option: --colour");
        fails("vtpm:create demo --endpoint", "Missing value for option: --endpoint");
        fails("vtpm:create demo --endpoint 6545", "names no kind of endpoint");
        fails("vtpm:create demo --endpoint 'tcp:a b'", "is not an address");
        fails("vtpm:create demo --uuid 1-1-1-1-1", "--uuid is 32 hexadecimal digits");
        fails("vtpm:create demo --uuid x", "--uuid is 32 hexadecimal digits");
        fails("vtpm:create demo --family 3.0", "--family is one of 1.2, 2.0, not '3.0'");
        fails("vtpm:create demo --isolation none", "--isolation is one of shared, process, not 'none'");
        fails("vtpm:create demo --startup CLEAR", "--startup is one of none, clear, state, deactivated");
        fails("vtpm:create demo test", "Too many arguments: test");
        assertThat(manager.lastOrder).isNull();
    }

    @Test
    void managersRefusalReachesOperator() throws Exception {
        shell.run("vtpm:create demo");

        fails("vtpm:create demo", "There is an instance 'demo' already");
    }

    @Test
    void listShowsTableOrHint() throws Exception {
        assertThat(shell.run("vtpm:list")).contains("vtpm:create demo --endpoint tcp:127.0.0.1:6545");

        manager.add("demo", InstanceState.RUNNING, null, new EndpointInfo(TCP, false, "port in use"));
        assertThat(shell.run("vtpm:list"))
                .contains("demo", "RUNNING", "fifo", "tcp:127.0.0.1:6545 (not served)", uuid("demo"));
    }

    @Test
    void jsonTellsAllOfAnInstance() throws Exception {
        manager.add("demo", InstanceState.FAILED, "state \"gone\"", new EndpointInfo(TCP, false, null));
        String expected = """
                {
                  "name": "demo",
                  "uuid": "%s",
                  "family": "1.2",
                  "state": "FAILED",
                  "reason": "state \\"gone\\"",
                  "isolation": "shared",
                  "startup": "clear",
                  "transport": null,
                  "chosenTransport": null,
                  "pid": null,
                  "commands": 7,
                  "created": "2026-01-02T03:04:05Z",
                  "endpoints": [
                    {
                      "uri": "tcp:127.0.0.1:6545",
                      "open": false,
                      "problem": null
                    }
                  ]
                }""".formatted(uuid("demo"));
        String shown = expected.substring(0, expected.length() - 2) + """
                ,
                  "endorsement": {
                    "keySha256": null,
                    "certificate": null,
                    "problem": "the endorsement cannot be read: damaged"
                  }
                }""";

        assertThat(shell.run("vtpm:show demo --json")).isEqualToIgnoringNewLines(shown + "\n");
        assertThat(shell.run("vtpm:show --json demo")).isEqualToIgnoringNewLines(shown + "\n");
        assertThat(shell.run("vtpm:list --json")).isEqualToIgnoringWhitespace("[" + expected + "]");
    }

    /** A certificate that swtpm_setup 0.7.1 issued, as PEM. */
    private static String pem() throws Exception {
        try (InputStream in = Objects.requireNonNull(CommandsTest.class.getResourceAsStream("swtpm-ek.pem"))) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static X509Certificate certificate() throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem().getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void showTellsOfTheEndorsement(@TempDir Path folder) throws Exception {
        manager.add("demo", InstanceState.STOPPED, null);
        assertThat(shell.run("vtpm:show demo")).contains("EK SHA-256").doesNotContain("EK certificate");
        fails("vtpm:show demo --ek-cert -", "has no endorsement key");

        byte[] key = certificate().getPublicKey().getEncoded();
        manager.endorsement = new EndorsementInfo(key, null);
        assertThat(shell.run("vtpm:show demo"))
                .contains(Certificate.sha256(key))
                .containsPattern("certificate.*none");
        fails("vtpm:show demo --ek-cert -", "issued only by vtpm:create");

        manager.endorsement = new EndorsementInfo(key, certificate().getEncoded());
        assertThat(shell.run("vtpm:show demo")).contains("serial 2", "issuer CN=swtpm-localca", "9999-12-31T23:59:59Z");
        assertThat(shell.run("vtpm:show demo --json")).contains("\"keySha256\": \"" + Certificate.sha256(key) + '"');
        assertThat(shell.run("vtpm:show demo --ek-cert -")).isEqualTo(pem());
        Path file = folder.resolve("ek.pem");
        assertThat(shell.run("vtpm:show demo --ek-cert " + file)).contains("written to " + file);
        assertThat(file).hasContent(pem());
        fails("vtpm:show demo --ek-cert " + folder, "cannot be written to " + folder);
    }

    @Test
    void aCertificateThatTheGuestReplacedIsNotTaken() throws Exception {
        manager.add("demo", InstanceState.RUNNING, null);
        byte[] certificate = certificate().getEncoded();
        byte[] longer = Arrays.copyOf(certificate, certificate.length + 1);
        KeyPair other = KeyPairGenerator.getInstance("RSA").generateKeyPair();

        manager.endorsement = new EndorsementInfo(other.getPublic().getEncoded(), certificate);
        fails("vtpm:show demo --ek-cert -", "the guest put a certificate of another key in its place");
        for (byte[] garbage : new byte[][] {{}, {0x30}, longer}) {
            manager.endorsement =
                    new EndorsementInfo(certificate().getPublicKey().getEncoded(), garbage);
            assertThat(shell.run("vtpm:show demo")).contains("the guest overwrote it with what is no certificate");
        }
    }

    @Test
    void theAuthorityIsShown(@TempDir Path folder) throws Exception {
        fails("vtpm:ca", "no certification authority is there");

        manager.authority = certificate().getEncoded();
        assertThat(shell.run("vtpm:ca")).contains("local", "yes", Certificate.sha256(manager.authority));
        assertThat(shell.run("vtpm:ca --json")).contains("\"issues\": true", "\"serial\": \"2\"");
        assertThat(shell.run("vtpm:ca --pem -")).isEqualTo(pem());
        Path file = folder.resolve("ca.pem");
        shell.run("vtpm:ca --pem " + file);
        assertThat(file).hasContent(pem());
    }

    @Test
    void showTellsWhyInstanceFailed() throws Exception {
        manager.add("demo", InstanceState.FAILED, "its state is missing", new EndpointInfo(TCP, false, "port in use"));

        assertThat(shell.run("vtpm:show demo"))
                .contains("FAILED", "its state is missing", uuid("demo"), "tcp:127.0.0.1:6545: port in use");
    }

    @Test
    void unknownInstanceIsNamed() {
        for (String command :
                new String[] {"show", "start", "stop", "restart", "suspend", "resume", "delete", "transport"}) {
            fails("vtpm:" + command + " nobody", "No instance 'nobody'");
        }
        fails("vtpm:attach nobody tcp:127.0.0.1:1", "No instance 'nobody'");
        fails("vtpm:detach nobody tcp:127.0.0.1:1", "No instance 'nobody'");
    }

    @Test
    void lifeCycleCommandsTakeSeveralNames() throws Exception {
        manager.add("a", InstanceState.STOPPED, null);
        manager.add("b", InstanceState.STOPPED, null);

        assertThat(shell.run("vtpm:start a b --startup state")).contains("a: RUNNING", "b: RUNNING");
        shell.run("vtpm:restart a");
        shell.run("vtpm:stop b a");
        assertThat(shell.run("vtpm:delete a b")).contains("a: deleted", "b: deleted");

        assertThat(manager.orders)
                .containsExactly(
                        "start a STATE",
                        "start b STATE",
                        "stop a",
                        "start a",
                        "stop b",
                        "stop a",
                        "delete a",
                        "delete b");
    }

    @Test
    void oneFailureDoesNotKeepOthersFromStarting() {
        manager.add("bad", InstanceState.FAILED, "damaged");
        manager.add("good", InstanceState.STOPPED, null);

        assertThatThrownBy(() -> shell.run("vtpm:start bad nobody good"))
                .hasMessage("bad cannot be started: damaged\nNo instance 'nobody'; vtpm:list shows those there are");
        assertThat(manager.orders).containsExactly("start good");
    }

    @Test
    void deleteOfRunningInstanceNeedsForce() throws Exception {
        manager.add("demo", InstanceState.RUNNING, null);

        assertThatThrownBy(() -> shell.run("vtpm:delete demo")).hasMessage("demo runs; stop it first");
        shell.run("vtpm:delete demo --force");

        assertThat(manager.instances()).isEmpty();
    }

    @Test
    void endpointsAreAttachedAndDetached() throws Exception {
        manager.add("demo", InstanceState.RUNNING, null);

        assertThat(shell.run("vtpm:attach demo tcp:127.0.0.1:6545")).contains("demo: attached to tcp:127.0.0.1:6545");
        shell.run("vtpm:detach demo tcp:127.0.0.1:6545");

        assertThat(manager.orders).containsExactly("attach tcp:127.0.0.1:6545", "detach tcp:127.0.0.1:6545");
    }

    @Test
    void transportIsShownAndChosen() throws Exception {
        manager.add("demo", InstanceState.RUNNING, null);

        assertThat(shell.run("vtpm:transport")).contains("demo", "fifo", "the host's default");
        assertThat(shell.run("vtpm:transport demo --json")).contains("\"transport\": \"fifo\"");
        shell.run("vtpm:transport demo loopback");
        shell.run("vtpm:transport demo default");
        fails("vtpm:transport demo fifo loopback", "Too many arguments: loopback");

        assertThat(manager.orders).containsExactly("transport loopback", "transport null");
    }

    @Test
    void namesAreCompleted() {
        manager.add("demo", InstanceState.RUNNING, null, new EndpointInfo(TCP, true, null));
        manager.add("web", InstanceState.STOPPED, null);

        assertThat(shell.complete("vtpm:show ")).contains("demo", "web");
        assertThat(shell.complete("vtpm:stop demo ")).contains("web");
        assertThat(shell.complete("vtpm:detach demo ")).containsExactly("tcp:127.0.0.1:6545");
        assertThat(shell.complete("vtpm:detach web ")).isEmpty();
        assertThat(shell.complete("vtpm:transport demo ")).contains("default", "fifo");
        assertThat(shell.complete("vtpm:create demo --isolation ")).contains("shared", "process");
    }

    private String uuid(String name) {
        return manager.find(name).orElseThrow().record().uuid().toString();
    }

    private void fails(String line, String message) {
        assertThatThrownBy(() -> shell.run(line))
                .as(line)
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(message);
    }
}
