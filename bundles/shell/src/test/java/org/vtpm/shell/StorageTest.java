package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.manager.InstanceState;

class StorageTest {
    private final FakeStorage storage = new FakeStorage();
    private final FakeManager manager = new FakeManager();
    private KarafShell shell;
    private UUID demo;

    @TempDir
    private Path folder;

    @BeforeEach
    void startShell() {
        shell = new KarafShell(storage, manager);
        shell.register(Storage.class, StorageWords.class);
        demo = manager.add("demo", InstanceState.FAILED, "its state is old")
                .record()
                .uuid();
    }

    @AfterEach
    void stopShell() {
        shell.close();
    }

    @Test
    void statusIsShown() throws Exception {
        assertThat(shell.run("vtpm:storage status"))
                .containsPattern("Folder.*/var/vtpm")
                .containsPattern("Replay policy.*strict")
                .containsPattern("Anchor.*none")
                .doesNotContain("Problem", "Refused");

        storage.anchorRoot = "tpm20";
        storage.problem = "the counter cannot be read";
        storage.refused = List.of(demo, new UUID(1, 2));
        assertThat(shell.run("vtpm:storage status"))
                .containsPattern("Anchor.*tpm20, counter 17, changes since 4")
                .containsPattern("Problem.*the counter cannot be read")
                .containsPattern("Refused as old.*demo")
                .contains(new UUID(1, 2).toString());
        assertThat(shell.run("vtpm:storage status --json"))
                .contains(
                        "\"anchorRoot\": \"tpm20\"", "\"anchor\": 17", "\"replayPolicy\": \"strict\"", demo.toString());
    }

    @Test
    void verifyFailsIfThereIsAnyFinding() throws Exception {
        assertThat(shell.run("vtpm:storage verify")).contains("as they should be");

        storage.findings.addAll(List.of("journal/1 at 4096: damaged", "instance demo: missing"));
        fails("vtpm:storage verify", "findings: 2");
        assertThat(shell.printed()).isEqualToIgnoringNewLines("journal/1 at 4096: damaged\ninstance demo: missing\n");
    }

    @Test
    void theStorageIsChanged() throws Exception {
        shell.run("vtpm:storage compact");
        shell.run("vtpm:storage rotate wrapping");
        shell.run("vtpm:storage rotate data");
        fails("vtpm:storage rotate host", "the root of trust tpm20 is not there");
        shell.run("vtpm:storage replay audit");

        assertThat(storage.orders).containsExactly("compact", "rotate WRAPPING", "rotate DATA", "replay AUDIT");
    }

    @Test
    void theOperatorsKeyIsSet() throws Exception {
        Path key = OperatorKeyTest.file("operator-rsa-public.pem", folder);
        assertThat(shell.run("vtpm:storage operator-key " + key)).contains(Certificate.sha256(storage.operatorKey));
        assertThat(storage.operatorKey).isEqualTo(OperatorKey.readPublic(key));
    }

    @Test
    void theHostsKeyIsShownOrWritten() throws Exception {
        String fingerprint = Certificate.sha256(FakeStorage.HOST_KEY);
        String shown = shell.run("vtpm:storage host-key");
        assertThat(shown)
                .startsWith("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA")
                .endsWith("-----END PUBLIC KEY-----\nSHA-256 " + fingerprint + "\n");

        Path file = folder.resolve("host.pem");
        assertThat(shell.run("vtpm:storage host-key --out " + file))
                .contains("written to " + file, fingerprint)
                .doesNotContain("BEGIN");
        assertThat(HostKey.named(file.toString())).isEqualTo(FakeStorage.HOST_KEY);
        assertThat(HostKey.named(shown.lines().toList().get(1))).isEqualTo(FakeStorage.HOST_KEY);
        assertThat(shown).startsWith(Files.readString(file));
        fails("vtpm:storage host-key --out " + file, "not overwritten");
    }

    @Test
    void oldStateIsLetInByTheOperatorsSignature() throws Exception {
        Path token = folder.resolve("token");
        fails("vtpm:storage revert demo --out " + token, "is not old");
        storage.refused = List.of(demo);
        storage.operatorKey = OperatorKey.readPublic(OperatorKeyTest.file("operator-ec-public.pem", folder));

        assertThat(shell.run("vtpm:storage revert demo --out " + token))
                .contains("  revert " + demo, "  once", "openssl dgst -sha256 -sign key.pem -out " + token + ".sig")
                .contains("vtpm:storage revert demo --signature " + token + ".sig");
        assertThat(Files.readAllBytes(token)).isEqualTo(storage.revertToken(demo));

        OperatorKey.Private key = OperatorKey.readPrivate(OperatorKeyTest.file("operator-ec.pem", folder));
        Files.write(folder.resolve("token.sig"), key.sign(Files.readAllBytes(token)));
        assertThat(shell.run("vtpm:storage revert demo --signature " + token + ".sig"))
                .contains("vtpm:start demo");
        shell.run("vtpm:storage revert demo --sign " + folder.resolve("operator-ec.pem"));
        assertThat(storage.orders).containsExactly("revert " + demo, "revert " + demo);
        fails(
                "vtpm:storage revert demo --sign " + OperatorKeyTest.file("operator-rsa.pem", folder),
                "the signature is not the operator's");
    }

    @Test
    void snapshotsAreTakenListedRestoredAndDropped() throws Exception {
        assertThat(shell.run("vtpm:storage snapshots demo")).contains("No snapshots");
        shell.run("vtpm:storage snapshot demo good");
        fails("vtpm:storage snapshot demo good", "there is a snapshot good already");
        assertThat(shell.run("vtpm:storage snapshots demo")).containsPattern("good.*2026-01-02T03:04:05Z");
        assertThat(shell.run("vtpm:storage snapshots demo --json"))
                .contains("\"name\": \"good\"", "\"taken\": \"2026-01-02T03:04:05.600Z\"");
        assertThat(shell.run("vtpm:storage restore demo good")).contains("demo: restored", "demo: STOPPED");
        shell.run("vtpm:storage drop demo good");

        assertThat(manager.orders).containsExactly("restore good");
        assertThat(manager.snapshots).isEmpty();
        fails("vtpm:storage snapshot nobody good", "No instance 'nobody'");
    }

    @Test
    void itSaysWhatIsWrong() {
        fails("vtpm:storage defragment", "The action of vtpm:storage is one of status, verify");
        fails("vtpm:storage status demo", "Too many arguments: demo");
        fails("vtpm:storage snapshot demo", "Too few arguments: vtpm:storage snapshot INSTANCE NAME");
        fails("vtpm:storage compact --json", "vtpm:storage compact takes no --json");
        fails("vtpm:storage rotate all", "The level of keys is one of host, wrapping, data, not 'all'");
        fails("vtpm:storage replay never", "The replay policy is one of strict, audit");
        fails("vtpm:storage revert demo", "Give one of --out");
    }

    @Test
    void wordsAreCompletedByAction() {
        manager.snapshots.add("good");

        assertThat(shell.complete("vtpm:storage ")).contains("status", "operator-key");
        assertThat(shell.complete("vtpm:storage rotate ")).containsExactlyInAnyOrder("host", "wrapping", "data");
        assertThat(shell.complete("vtpm:storage replay ")).containsExactlyInAnyOrder("strict", "audit");
        assertThat(shell.complete("vtpm:storage snapshots ")).contains("demo");
        assertThat(shell.complete("vtpm:storage restore demo ")).contains("good");
        assertThat(shell.complete("vtpm:storage snapshot demo ")).doesNotContain("good");
    }

    private void fails(String line, String message) {
        assertThatThrownBy(() -> shell.run(line))
                .as(line)
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(message);
    }
}
