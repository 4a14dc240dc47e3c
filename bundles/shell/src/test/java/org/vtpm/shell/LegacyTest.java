package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.storage.KeyVault;

class LegacyTest {
    private static final UUID STRANGER = UUID.fromString("0f1e2d3c-0000-4000-8000-aabbccddeeff");

    private final FakeManager manager = new FakeManager();
    private KarafShell shell;
    private UUID web;

    @TempDir
    private Path folder;

    @BeforeEach
    void startShell() {
        shell = new KarafShell(manager);
        shell.register(Legacy.class);
        web = manager.add("web", InstanceState.STOPPED, null).record().uuid();
        manager.add("db", InstanceState.RUNNING, null, served(7));
    }

    @AfterEach
    void stopShell() {
        shell.close();
    }

    private static EndpointInfo served(int number) {
        return new EndpointInfo(URI.create("legacy:" + number), true, null);
    }

    private String importing(String options, String... lines) throws Exception {
        Path file = folder.resolve("vtpm.db");
        Files.write(file, List.of(lines));
        return shell.run("vtpm:legacy import " + file + " " + options);
    }

    private void fails(String what, String options, String... lines) {
        assertThatThrownBy(() -> importing(options, lines))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(what);
        assertThat(manager.orders).isEmpty();
        assertThat(manager.lastOrder).isNull();
    }

    @Test
    void numbersGoToTheInstancesOfTheirUuidsAndNames() throws Exception {
        manager.add("mail", InstanceState.STOPPED, null);

        String output = importing(
                "",
                "#Database for VM to vTPM association",
                "",
                web.toString().toUpperCase(Locale.ROOT) + " 1",
                "mail\t255 ",
                "db 7");

        assertThat(manager.orders).containsExactly("attach legacy:1", "attach legacy:255");
        assertThat(output)
                .containsPattern(
                        "3 +\\| 1 +\\| " + web.toString().toUpperCase(Locale.ROOT) + " +\\| web +\\| gets the number")
                .containsPattern("5 +\\| 7 +\\| db +\\| db +\\| has the number already")
                .contains("Numbers taken over: 2, there already: 1, left out: 0");
    }

    @Test
    void aDryRunChangesNothing() throws Exception {
        String output = importing("--create --dry-run", web + " 1", STRANGER + " 2");

        assertThat(manager.orders).isEmpty();
        assertThat(manager.lastOrder).isNull();
        assertThat(output).contains("gets the number", "is made, with a new TPM", "Nothing was changed");
    }

    @Test
    void entriesWithoutAnInstanceAreLeftOutOrMade() throws Exception {
        assertThat(importing("", STRANGER + " 2")).contains("there is no such instance: left out", "left out: 1");
        assertThat(manager.orders).isEmpty();
        assertThat(manager.lastOrder).isNull();

        importing("--create", STRANGER + " 2");

        assertThat(manager.lastOrder.name()).isEqualTo("vtpm-2");
        assertThat(manager.lastOrder.uuid()).isEqualTo(STRANGER);
        assertThat(manager.lastOrder.endpoints()).isEmpty();
        assertThat(manager.lastOrder.endorsementKey()).isTrue();
        assertThat(manager.orders).containsExactly("create vtpm-2 with EK", "attach legacy:2");

        importing("--create", "Domain-1 3");
        assertThat(manager.lastOrder.name()).isEqualTo("Domain-1");
        assertThat(manager.lastOrder.uuid()).isNull();
    }

    @Test
    void whatContradictsTheInstancesIsRefusedAsAWhole() {
        fails("Nothing was changed", "", "web 1", STRANGER + " 7");
        assertThat(shell.printed()).contains("cannot: the number belongs to instance db", "gets the number");
        fails("Nothing was changed", "", "db 8");
        assertThat(shell.printed()).contains("cannot: it has another number: legacy:7");
        fails("Nothing was changed", "--create", "a+b 8");
        assertThat(shell.printed()).contains("cannot: no instance can have this name");
        manager.add("vtpm-9", InstanceState.STOPPED, null);
        fails("Nothing was changed", "--create", STRANGER + " 9");
        assertThat(shell.printed()).contains("cannot: there is another instance vtpm-9");
    }

    @ParameterizedTest
    @CsvSource({
        "web, line 1 is not a UUID or name and a number",
        "web 1 2, line 1 is not",
        "web 0, '0' is no number from 1 to 4294967294",
        "web -1, '-1' is no number",
        "web 4294967295, '4294967295' is no number",
        "web 99999999999, '99999999999' is no number",
        "web x, 'x' is no number",
        "web 1/web 2, lines 1 and 2 are both about web",
        "web 1/mail 1, lines 1 and 2 both have the number 1",
        "ABCDEFAB-0000-4000-8000-aabbccddeeff 1/abcdefab-0000-4000-8000-aabbccddeeff 2, lines 1 and 2 are both about",
    })
    void aFileThatIsNoMapIsRefused(String lines, String why) {
        fails(why, "--create", lines.split("/"));
    }

    @Test
    void filesThatAreMissingOrNoTextAreRefused() throws Exception {
        assertThatThrownBy(() -> shell.run("vtpm:legacy import " + folder.resolve("none")))
                .hasMessageContaining("there is no such file");
        Path image = Files.write(folder.resolve("image"), new byte[VtpmDb.LONGEST + 1]);
        assertThatThrownBy(() -> shell.run("vtpm:legacy import " + image)).hasMessageContaining("is longer than");
        Path noise = Files.writeString(folder.resolve("noise"), "a\n".repeat(100));
        assertThatThrownBy(() -> shell.run("vtpm:legacy import " + noise)).hasMessageContaining("and 90 more");
    }

    @Test
    void theListIsByNumber() throws Exception {
        manager.add("old", InstanceState.SUSPENDED, null, new EndpointInfo(URI.create("legacy:3"), false, null));

        assertThat(shell.run("vtpm:legacy list"))
                .containsPattern(
                        "(?s)3 +\\| [0-9a-f-]+ +\\| old +\\| SUSPENDED +\\| no.*7 +\\| [0-9a-f-]+ +\\| db +\\| RUNNING +\\| yes")
                .doesNotContain("web");
        assertThat(shell.run("vtpm:legacy list --json"))
                .contains("\"number\": 3", "\"name\": \"old\"", "\"served\": false");
        manager.clear();
        assertThat(shell.run("vtpm:legacy list")).contains("No instance has a number");
    }

    /** A vault with one key. */
    private static final class FakeVault implements KeyVault {
        private final Set<UUID> owners = new TreeSet<>(Set.of(STRANGER));

        @Override
        public Set<UUID> owners() {
            return owners;
        }

        @Override
        public Optional<byte[]> load(UUID owner) {
            throw new AssertionError("no key is shown");
        }

        @Override
        public void store(UUID owner, byte[] key) {
            throw new AssertionError("no key is given");
        }

        @Override
        public void delete(UUID owner) {
            owners.remove(owner);
        }
    }

    @Test
    void keysOfTpmsElsewhereAreListedAndForgotten() throws Exception {
        assertThatThrownBy(() -> shell.run("vtpm:legacy keys")).hasMessageContaining("The storage is closed");
        shell.close();
        shell = new KarafShell(manager, new FakeVault());
        shell.register(Legacy.class);
        assertThat(shell.run("vtpm:legacy keys")).contains(STRANGER.toString());
        assertThat(shell.run("vtpm:legacy keys --json")).contains("\"" + STRANGER + "\"");
        assertThatThrownBy(() -> shell.run("vtpm:legacy forget " + web)).hasMessageContaining("has a key here");
        assertThat(shell.run("vtpm:legacy forget " + STRANGER)).contains("key deleted");
        assertThat(shell.run("vtpm:legacy keys")).contains("No TPM in a domain of its own");
    }

    @Test
    void eachActionHasItsOwnWords() {
        assertThatThrownBy(() -> shell.run("vtpm:legacy list --create")).hasMessageContaining("takes no --create");
        assertThatThrownBy(() -> shell.run("vtpm:legacy import a --json")).hasMessageContaining("takes no --json");
        assertThatThrownBy(() -> shell.run("vtpm:legacy import")).hasMessageContaining("Too few arguments");
        assertThatThrownBy(() -> shell.run("vtpm:legacy export"))
                .hasMessageContaining("one of list, import, keys, forget");
        assertThat(shell.complete("vtpm:legacy ")).containsExactlyInAnyOrder("list", "import", "keys", "forget");
    }
}
