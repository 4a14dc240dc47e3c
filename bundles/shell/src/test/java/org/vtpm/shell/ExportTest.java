package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.List;
import java.util.stream.Stream;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.manager.InstanceState;

class ExportTest {
    private final FakeManager manager = new FakeManager();
    private KarafShell shell;
    private Path bundle;

    @TempDir
    private Path folder;

    @BeforeEach
    void startShell() {
        shell = new KarafShell(manager);
        shell.register(Export.class, InstanceNames.class);
        manager.add("web", InstanceState.STOPPED, null);
        bundle = folder.resolve("web.vtpm");
    }

    @AfterEach
    void stopShell() {
        shell.close();
    }

    @Test
    void aBundleIsMadeForAnotherHost() throws Exception {
        Path key = Files.writeString(folder.resolve("host.pem"), HostKey.pem(FakeStorage.HOST_KEY));

        assertThat(shell.run("vtpm:export web " + bundle + " --to " + key))
                .contains("web: exported to " + bundle, Certificate.sha256(FakeStorage.HOST_KEY), "vtpm:delete")
                .doesNotContain("goes on", "suspended");

        assertThat(bundle).hasContent("HOST web");
        assertThat(Files.getPosixFilePermissions(bundle)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(bundle, key);
        }
        shell.run("vtpm:export web --to " + Files.readAllLines(key).get(1) + " " + folder.resolve("again"));
        assertThat(manager.hostKeys).hasSize(2).allMatch(each -> each.length == 44);
    }

    @Test
    void orForAPassphrase() throws Exception {
        Path phrase = Files.writeString(folder.resolve("phrase"), "from the file\n");
        assertThat(shell.run("vtpm:export web " + bundle + " --passphrase-file " + phrase))
                .contains("for whoever knows the pass phrase");
        assertThat(bundle).hasContent("PASSPHRASE web");
        fails("vtpm:export web " + folder.resolve("b"), "no terminal to ask for the pass phrase");

        List<String> prompts = shell.answer(new ArrayDeque<>(List.of("typed in", "typed in", "typed in", "typed on")));
        shell.run("vtpm:export web " + folder.resolve("b"));
        fails("vtpm:export web " + folder.resolve("c"), "These were two pass phrases");
        assertThat(manager.phrases).containsExactly("from the file", "typed in");
        assertThat(prompts).hasSize(4).allMatch(prompt -> prompt.endsWith(" \0"));
        assertThat(folder.resolve("c")).doesNotExist();
    }

    @Test
    void whatIsNotInTheBundleIsSaid() throws Exception {
        manager.add("runs", InstanceState.RUNNING, null);
        manager.add("rests", InstanceState.SUSPENDED, null);
        String to =
                " --to " + HostKey.pem(FakeStorage.HOST_KEY).lines().toList().get(1);

        assertThat(shell.run("vtpm:export runs " + folder.resolve("runs") + to)).contains("It goes on");
        assertThat(shell.run("vtpm:export rests " + folder.resolve("rests") + to))
                .contains("What it was doing when it was suspended is not in the bundle");
    }

    @Test
    void aFileThatIsThereIsNeverReplaced() throws Exception {
        Files.writeString(bundle, "precious");
        List<String> prompts = shell.answer(new ArrayDeque<>());
        fails("vtpm:export web " + bundle, "there is such a file already");
        assertThat(prompts).isEmpty();

        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
        fails("vtpm:export web " + link, "there is such a file already");
        assertThatThrownBy(() -> HostFile.writeNew(bundle, new byte[1])).hasMessageContaining("already");
        assertThatThrownBy(() -> HostFile.writeNew(link, new byte[1])).hasMessageContaining("already");
        assertThat(bundle).hasContent("precious");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(bundle, link);
        }
        fails("vtpm:export web " + folder.resolve("no/folder") + " --to " + key(), "there is no such file or folder");
    }

    private static String key() {
        return HostKey.pem(FakeStorage.HOST_KEY).lines().toList().get(1);
    }

    @Test
    void itSaysWhatIsWrong() throws Exception {
        fails("vtpm:export web", "Too few arguments: vtpm:export INSTANCE FILE");
        fails("vtpm:export nobody " + bundle, "No instance 'nobody'");
        fails("vtpm:export web " + bundle + " --to a --passphrase-file b", "not both");
        fails("vtpm:export web " + bundle + " --to MCowBQYDK2VuAyEA*", "is no host's key");
        fails("vtpm:export web " + bundle + " --to MCowBQYDK2VuAyEA", "none that bundles can be made for");
        fails("vtpm:export web " + bundle + " --to " + folder.resolve("none"), "there is no such file");
        Path certificate = Files.writeString(folder.resolve("c.pem"), Pem.text("CERTIFICATE", new byte[3]));
        fails("vtpm:export web " + bundle + " --to " + certificate, "has no public key, but a CERTIFICATE");
        assertThat(bundle).doesNotExist();
        assertThat(shell.complete("vtpm:export ")).contains("web");
    }

    private void fails(String line, String message) {
        assertThatThrownBy(() -> shell.run(line))
                .as(line)
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(message);
    }
}
