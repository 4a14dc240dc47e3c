package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.storage.StateException;

/** Files are damaged, cut, swapped and taken away: the instance cannot be used, and nothing on disk changes. */
class TamperTest {
    @TempDir
    Path temporary;

    private Path root;

    @BeforeEach
    void fill() throws Exception {
        root = temporary.resolve("storage");
        try (FolderStore store = open()) {
            store.create(record("demo"), permanent("state"));
            store.create(record("other"), permanent("of the other"));
            store.save(uuid("demo"), permanent("a second state"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "state"})
    void everyByteOfAFileOfAnInstanceCounts(String name) throws Exception {
        Path file = file("demo", name);
        byte[] good = Files.readAllBytes(file);
        try (FolderStore store = open()) {
            for (int i = 0; i < good.length; i++) {
                byte[] bad = good.clone();
                bad[i] ^= (byte) (1 << i % 8);
                Files.write(file, bad);
                assertUnusable(store, name, "byte " + i);
            }
            Files.write(file, good);
            assertState(store, "demo", "a second state");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "state"})
    void aFileOfAnInstanceIsCutOrLengthened(String name) throws Exception {
        Path file = file("demo", name);
        byte[] good = Files.readAllBytes(file);
        try (FolderStore store = open()) {
            for (int length = 0; length < good.length; length++) {
                Files.write(file, Arrays.copyOf(good, length));
                assertUnusable(store, name, "length " + length);
            }
            Files.write(file, Arrays.copyOf(good, good.length + 1));
            assertUnusable(store, name, "one byte more");
            Files.write(file, Arrays.copyOf(good, StateFile.LIMIT + 1));
            assertUnusable(store, name, "far too long");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "state"})
    void aFileIsAnotherInstances(String name) throws Exception {
        Files.copy(file("other", name), file("demo", name), StandardCopyOption.REPLACE_EXISTING);
        try (FolderStore store = open()) {
            assertThat(assertUnusable(store, name, "swapped"))
                    .hasMessageContaining("belongs to another instance, " + uuid("other"));
        }
    }

    @Test
    void aWholeFolderIsAnotherInstances() throws Exception {
        for (String name : List.of("record", "state")) {
            Files.copy(file("other", name), file("demo", name), StandardCopyOption.REPLACE_EXISTING);
        }
        try (FolderStore store = open()) {
            assertThat(assertUnusable(store, "record", "swapped")).hasMessageContaining("another instance");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "state"})
    void aFileIsMissing(String name) throws Exception {
        Files.delete(file("demo", name));
        try (FolderStore store = open()) {
            assertThat(assertUnusable(store, name, "missing")).hasMessageContaining("is missing");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "state"})
    void aFileIsALink(String name) throws Exception {
        Path elsewhere = temporary.resolve("elsewhere");
        Files.move(file("demo", name), elsewhere);
        Files.createSymbolicLink(file("demo", name), elsewhere);
        try (FolderStore store = open()) {
            assertThat(assertUnusable(store, name, "link")).hasMessageContaining("links and other kinds");
        }
    }

    @Test
    void aDamagedInstanceCanBeDeleted() throws Exception {
        Files.delete(file("demo", "record"));
        try (FolderStore store = open()) {
            store.delete(uuid("demo"));
            assertThat(store.instances()).containsExactly(record("other"));
        }
    }

    @Test
    void everyByteOfTheHostKeyFileCounts() throws Exception {
        Path file = root.resolve("host.key");
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x40;
            Files.write(file, bad);
            assertStaysClosed("byte " + i);
            Files.write(file, Arrays.copyOf(good, i));
            assertStaysClosed("length " + i);
        }
        Files.write(file, good);
        open().close();
        Files.delete(file);
        assertThat(assertStaysClosed("missing")).hasMessageContaining("host.key is missing");
    }

    @Test
    void anotherHostsKeyOpensNothing() throws Exception {
        Path other = temporary.resolve("another host");
        StorageOpener.open(new PosixDisk(), other, List.of(new TestRoot())).close();
        Files.copy(other.resolve("host.key"), root.resolve("host.key"), StandardCopyOption.REPLACE_EXISTING);
        try (FolderStore store = open()) {
            assertThatThrownBy(() -> store.load(uuid("demo"))).hasMessageContaining("another host key");
            assertThatThrownBy(() -> store.save(uuid("demo"), permanent("x"))).hasMessageContaining("another host key");
            assertThat(store.instances()).hasSize(2);
        }
    }

    @Test
    void theFolderOfInstancesIsMissing() throws Exception {
        Files.move(root.resolve("instances"), temporary.resolve("elsewhere"));
        assertThat(assertStaysClosed("missing")).hasMessageContaining("instances is missing");
    }

    @Test
    void whatIsNotTheStoragesIsLeftAlone() throws Exception {
        Files.writeString(root.resolve("notes.txt"), "mine");
        Files.writeString(root.resolve("instances/README"), "mine");
        Files.createDirectory(
                root.resolve("instances/" + uuid("demo").toString().toUpperCase(Locale.ROOT)));
        Files.writeString(file("demo", "backup"), "mine");
        Map<Path, String> before = Digests.of(root);
        try (FolderStore store = open()) {
            assertThat(store.instances()).containsExactlyInAnyOrder(record("demo"), record("other"));
            assertState(store, "demo", "a second state");
        }
        assertThat(Digests.of(root)).isEqualTo(before);
    }

    @Test
    void randomBytesAreNoFile() throws Exception {
        Random random = new Random(1);
        try (FolderStore store = open()) {
            for (int round = 0; round < 200; round++) {
                byte[] bytes = new byte[random.nextInt(400)];
                random.nextBytes(bytes);
                System.arraycopy("VTPMSTAT\0\1".getBytes(UTF_8), 0, bytes, 0, Math.min(10, bytes.length));
                Files.write(file("demo", "state"), bytes);
                assertUnusable(store, "state", "round " + round);
            }
        }
    }

    /** Neither opened nor written over, listed all the same, and the other instance works. */
    private StateException assertUnusable(FolderStore store, String name, String how) throws IOException {
        Map<Path, String> before = Digests.of(root);
        StateException loading = catchThrowableOfType(StateException.class, () -> store.load(uuid("demo")));
        assertThat(loading)
                .as(how)
                .hasMessageContaining("Instance " + uuid("demo"))
                .hasMessageContaining(file("demo", name).toString())
                .hasMessageContaining("Nothing was changed");
        StateException changing = catchThrowableOfType(StateException.class, () -> {
            if (name.equals("state")) {
                store.save(uuid("demo"), permanent("written over"));
            } else {
                store.update(record("demo"));
            }
        });
        assertThat(changing).as(how).isNotNull();
        assertThat(store.instances()).extracting(InstanceRecord::uuid).contains(uuid("demo"), uuid("other"));
        assertState(store, "other", "of the other");
        assertThat(Digests.of(root)).as(how).isEqualTo(before);
        return loading;
    }

    private StateException assertStaysClosed(String how) throws IOException {
        Map<Path, String> before = Digests.of(root);
        StateException closed = catchThrowableOfType(StateException.class, this::open);
        assertThat(closed).as(how).isNotNull().hasMessageContaining(root.toString());
        assertThat(Digests.of(root)).as(how).isEqualTo(before);
        return closed;
    }

    private FolderStore open() throws IOException {
        return StorageOpener.open(new PosixDisk(), root, List.of(new TestRoot()));
    }

    private Path file(String instance, String name) {
        return root.resolve("instances").resolve(uuid(instance).toString()).resolve(name);
    }
}
