package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.List;
import java.util.UUID;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.ForeignState.KeyForm;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.BundleOrder;

class ImportTest {
    private static final byte[] STATE = {1, 2, 3};

    private final FakeManager manager = new FakeManager();
    private KarafShell shell;

    @TempDir
    private Path folder;

    @BeforeEach
    void startShell() throws Exception {
        shell = new KarafShell(manager);
        shell.register(Import.class);
        Files.write(folder.resolve("tpm-00.permall"), STATE);
        Files.writeString(folder.resolve("secret"), "abc");
    }

    @AfterEach
    void stopShell() {
        shell.close();
    }

    @Test
    void aFolderOrItsFileIsImported() throws Exception {
        for (Path place : List.of(folder, folder.resolve("tpm-00.permall"))) {
            String output = shell.run("vtpm:import demo " + place);

            assertThat(manager.lastState.content()).isEqualTo(STATE);
            assertThat(manager.lastState.key()).isNull();
            assertThat(output).contains("demo: STOPPED", "uuid     ", "note     Its clock has no place here.");
            manager.clear();
        }
        assertThat(folder.resolve("tpm-00.permall")).hasBinaryContent(STATE);
    }

    @Test
    void optionsSayWhatInstanceItBecomes() throws Exception {
        UUID uuid = UUID.fromString("11111111-2222-3333-4444-555555555555");

        shell.run("vtpm:import demo " + folder + " --endpoint tcp:127.0.0.1:6545 --isolation process --uuid " + uuid);

        assertThat(manager.lastOrder.uuid()).isEqualTo(uuid);
        assertThat(manager.lastOrder.isolation()).isEqualTo(Isolation.PROCESS);
        assertThat(manager.lastOrder.endpoints()).containsExactly(URI.create("tcp:127.0.0.1:6545"));
    }

    @Test
    void keysAreReadFromTheirFiles() throws Exception {
        keyOf("--key " + folder.resolve("secret"), KeyForm.HEX);
        keyOf("--format binary --key " + folder.resolve("secret"), KeyForm.BINARY);
        keyOf("--passphrase-file " + folder.resolve("secret"), KeyForm.PBKDF2);
        keyOf("--kdf sha512 --passphrase-file " + folder.resolve("secret"), KeyForm.SHA512);

        fails("vtpm:import demo " + folder + " --key a --passphrase-file b", "not both");
        fails("vtpm:import demo " + folder + " --key a --format pbkdf2", "--format is one of hex, binary");
        fails("vtpm:import demo " + folder + " --key " + folder.resolve("none"), "there is no such file");
    }

    @Test
    void anExportedStateMayHaveTwoKeys() throws Exception {
        Path exported = Files.write(folder.resolve("exported"), STATE);
        Files.writeString(folder.resolve("other"), "def");
        String key = " --key " + folder.resolve("secret");

        shell.run("vtpm:import demo " + exported + key + " --migration-passphrase-file " + folder.resolve("other"));

        assertThat(manager.lastState.key().form()).isEqualTo(KeyForm.HEX);
        assertThat(manager.lastState.migrationKey().form()).isEqualTo(KeyForm.PBKDF2);
        assertThat(manager.lastState.migrationKey().content()).asString().isEqualTo("def");
        manager.clear();
        shell.run("vtpm:import demo " + exported + " --format binary --migration-key " + folder.resolve("other"));
        assertThat(manager.lastState.key()).isNull();
        assertThat(manager.lastState.migrationKey().form()).isEqualTo(KeyForm.BINARY);
        fails(
                "vtpm:import demo " + exported + " --migration-key a --migration-passphrase-file b",
                "Give --migration-key or --migration-passphrase-file, not both");
    }

    @Test
    void aSingleFileThatIsLockedIsRefused() throws Exception {
        Path single = Files.write(folder.resolve("single"), STATE);
        try (FileChannel other = FileChannel.open(single, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileLock held = other.lock()) {
            assertThat(held.isValid()).isTrue();
            fails("vtpm:import demo " + single, "is locked");
        }

        shell.run("vtpm:import demo " + single);

        assertThat(manager.lastState.content()).isEqualTo(STATE);
    }

    private void keyOf(String options, KeyForm form) throws Exception {
        manager.clear();
        shell.run("vtpm:import demo " + folder + " " + options);
        assertThat(manager.lastState.key().form()).isEqualTo(form);
        assertThat(manager.lastState.key().content()).asString().isEqualTo("abc");
    }

    @Test
    void whatIsNoSuchStateIsToldSo() throws Exception {
        fails("vtpm:import demo", "Give swtpm's state folder");
        fails("vtpm:import demo " + folder.resolve("none"), "there is no such file");
        Files.write(folder.resolve("tpm-00.permall"), new byte[(1 << 20) + 1]);
        fails("vtpm:import demo " + folder, "is longer than");
        Files.delete(folder.resolve("tpm-00.permall"));
        Files.createFile(folder.resolve("tpm2-00.permall"));
        fails("vtpm:import demo " + folder, "TPM 2.0");
    }

    @Test
    void whatStaysBehindIsNamed() throws Exception {
        Files.createFile(folder.resolve("tpm-00.savestate"));

        assertThat(shell.run("vtpm:import demo " + folder)).contains("tpm-00.savestate is not imported");
    }

    @Test
    void completionOffersWhatThereIs() {
        assertThat(shell.complete("vtpm:import demo x --kdf ")).contains("pbkdf2", "sha512");
    }

    @Test
    void aBundleForThisHostIsRecognized() throws Exception {
        Path bundle = Files.writeString(folder.resolve("web.vtpm"), "HOST web");

        assertThat(shell.run("vtpm:import " + bundle))
                .contains("web: STOPPED", "uuid     ", "note     It is as it was exported.", "never runs again");
        assertThat(manager.lastBundle).isEqualTo(new BundleOrder(null, null, null, null, List.of()));

        UUID uuid = UUID.fromString("11111111-2222-3333-4444-555555555555");
        shell.run("vtpm:import web2 " + bundle
                + " --startup state --isolation process --endpoint tcp:127.0.0.1:1 --uuid " + uuid);
        assertThat(manager.lastBundle)
                .isEqualTo(new BundleOrder(
                        "web2", uuid, Isolation.PROCESS, StartupMode.STATE, List.of(URI.create("tcp:127.0.0.1:1"))));
        assertThat(manager.phrases).isEmpty();
        assertThat(bundle).hasContent("HOST web");
        fails("vtpm:import x " + bundle + " --passphrase-file " + folder.resolve("secret"), "is made for a host");
        fails("vtpm:import x " + bundle + " --kdf sha512", "vtpm:import of a bundle takes no --kdf");
        fails("vtpm:import x " + bundle + " --key f", "vtpm:import of a bundle takes no --key");
        fails("vtpm:import x " + bundle + " more", "Too many arguments: more");
    }

    @Test
    void thePassphraseOfABundleIsReadOrAskedFor() throws Exception {
        Path bundle = Files.writeString(folder.resolve("web.vtpm"), "PASSPHRASE web");
        for (String content : List.of("a phrase", "a phrase\n", "a phrase\r\n")) {
            Files.writeString(folder.resolve("secret"), content);
            shell.run("vtpm:import " + bundle + " --passphrase-file " + folder.resolve("secret"));
            manager.clear();
        }
        assertThat(manager.phrases).containsExactly("a phrase", "a phrase", "a phrase");
        fails("vtpm:import " + bundle, "no terminal to ask for the pass phrase; give --passphrase-file FILE");

        List<String> prompts = shell.answer(new ArrayDeque<>(List.of("ty ped", " ")));
        shell.run("vtpm:import " + bundle);
        assertThat(manager.phrases).last().isEqualTo("ty ped");
        assertThat(prompts).containsExactly("Pass phrase of the bundle:  \0");
        manager.clear();
        fails("vtpm:import " + bundle, "No pass phrase was given");
    }

    @Test
    void onlyABundleStandsAlone() throws Exception {
        fails("vtpm:import " + folder.resolve("tpm-00.permall"), "tpm-00.permall is none");
        fails("vtpm:import " + folder.resolve("none"), "none does not exist");
        assertThat(manager.instances()).isEmpty();
    }

    private void fails(String line, String message) {
        assertThatThrownBy(() -> shell.run(line))
                .as(line)
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(message);
    }
}
