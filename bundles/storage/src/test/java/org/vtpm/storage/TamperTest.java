package org.vtpm.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.uuid;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.storage.StateException;
import org.vtpm.storage.disk.PosixDisk;

/** Files are damaged, cut, swapped and taken away: the storage stays closed, says which, and nothing on disk changes. */
class TamperTest {
    private static final String JOURNAL = "journal/0000000000000002";

    @TempDir
    Path temporary;

    private Path root;
    private Path other;

    @BeforeEach
    void fill() throws Exception {
        root = fill("storage");
        other = fill("other");
    }

    private Path fill(String name) throws Exception {
        Path folder = temporary.resolve(name);
        try (JournalStore store = open(folder)) {
            store.create(record("demo"), permanent("state"));
            store.create(record("other"), permanent("of the other"));
            store.journal().compact();
            store.save(uuid("demo"), permanent("a second state"));
        }
        return folder;
    }

    @ParameterizedTest
    @ValueSource(strings = {"host.key", JOURNAL})
    void noByteCanBeChanged(String name) throws Exception {
        Path file = root.resolve(name);
        byte[] good = Files.readAllBytes(file);
        int written = good.length;
        while (good[written - 1] == 0) {
            written--;
        }
        // The journal's own tests take every byte; here it is that the message reaches the operator.
        for (int i = 0; i < written; i += name.equals(JOURNAL) ? 7 : 1) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << i % 8);
            Files.write(file, bad);
            assertStaysClosed(file, "byte " + i);
        }
        Files.write(file, good);
        try (JournalStore store = open(root)) {
            assertState(store, "demo", "a second state");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"host.key", JOURNAL})
    void aFileIsAnotherStorages(String name) throws Exception {
        Files.copy(other.resolve(name), root.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        assertStaysClosed(root.resolve("host.key"), "swapped");
    }

    @Test
    void theCurrentJournalIsTheOneBefore() throws Exception {
        Files.copy(
                root.resolve("journal/0000000000000001"), root.resolve(JOURNAL), StandardCopyOption.REPLACE_EXISTING);
        assertStaysClosed(root.resolve(JOURNAL), "the file before in its place");
    }

    @Test
    void theHostKeyFileIsCut() throws Exception {
        Path file = root.resolve("host.key");
        byte[] good = Files.readAllBytes(file);
        for (int length = 0; length < good.length; length++) {
            Files.write(file, Arrays.copyOf(good, length));
            assertStaysClosed(file, "length " + length);
        }
    }

    @Test
    void filesAreMissing() throws Exception {
        Path hostKey = root.resolve("host.key");
        Path elsewhere = temporary.resolve("elsewhere");
        Files.move(hostKey, elsewhere);
        assertThat(assertStaysClosed(hostKey, "missing")).hasMessageContaining("put the file back");
        Files.move(elsewhere, hostKey);
        Files.move(root.resolve("journal"), elsewhere);
        assertThat(assertStaysClosed(root.resolve("journal"), "missing"))
                .hasMessageContaining("put the folder back as it was");
    }

    @ParameterizedTest
    @ValueSource(strings = {"host.key", JOURNAL})
    void aFileIsALink(String name) throws Exception {
        Path elsewhere = temporary.resolve("elsewhere");
        Files.move(root.resolve(name), elsewhere);
        Files.createSymbolicLink(root.resolve(name), elsewhere);
        assertThat(assertStaysClosed(root.resolve(name), "link")).hasMessageContaining("links and other kinds");
    }

    @Test
    void whatIsNotTheStoragesIsLeftAlone() throws Exception {
        Files.writeString(root.resolve("notes.txt"), "mine");
        try (JournalStore store = open(root)) {
            assertState(store, "demo", "a second state");
        }
        assertThat(root.resolve("notes.txt")).hasContent("mine");
    }

    private StateException assertStaysClosed(Path file, String how) throws IOException {
        Map<Path, String> before = Digests.of(root);
        StateException closed = catchThrowableOfType(StateException.class, () -> open(root));
        assertThat(closed).as(how).isNotNull().hasMessageContaining(file.toString());
        assertThat(Digests.of(root)).as(how).isEqualTo(before);
        return closed;
    }

    private static JournalStore open(Path folder) throws IOException {
        return Samples.open(new PosixDisk(), folder, new TestRoot());
    }
}
