package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.load;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.suspended;
import static org.vtpm.storage.Samples.uuid;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.RootStatus;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration.KeyLevel;
import org.vtpm.storage.disk.Disk;
import org.vtpm.storage.disk.PosixDisk;

class JournalStoreTest {
    @TempDir
    Path temporary;

    private Path root;
    private JournalStore store;

    @BeforeEach
    void openStore() throws Exception {
        root = temporary.resolve("vtpm/storage");
        open(new TestRoot());
    }

    @AfterEach
    void closeStore() throws Exception {
        store.close();
    }

    @Test
    void whatWasStoredIsThereAfterReopening() throws Exception {
        store.create(record("demo"), permanent("made"));
        store.create(suspended(record("other")), permanent("of the other"));
        store.save(uuid("demo"), Map.of(StateKind.SAVED, bytes("saved"), StateKind.VOLATILE, bytes("volatile")));
        store.save(uuid("demo"), Map.of(StateKind.PERMANENT, bytes("changed"), StateKind.VOLATILE, new byte[0]));
        store.update(suspended(record("demo")));
        reopen();

        assertThat(store.instances()).containsExactlyInAnyOrder(suspended(record("demo")), suspended(record("other")));
        assertThat(load(store, "demo")).isEqualTo(Map.of(StateKind.PERMANENT, "changed", StateKind.SAVED, "saved"));
        assertState(store, "other", "of the other");
    }

    @Test
    void aDeletedInstanceIsGoneWithAllItsFiles() throws Exception {
        store.create(record("demo"), permanent("made"));
        store.delete(uuid("demo"));
        assertThat(store.instances()).isEmpty();
        assertThatThrownBy(() -> store.load(uuid("demo"))).hasMessageContaining("There is no instance");
        store.create(record("demo"), permanent("again"));
        assertState(store, "demo", "again");
    }

    @Test
    void whatDoesNotExistIsNotMadeByTheWay() throws Exception {
        assertThatThrownBy(() -> store.save(uuid("demo"), permanent("x"))).isInstanceOf(StateException.class);
        assertThatThrownBy(() -> store.update(record("demo"))).isInstanceOf(StateException.class);
        assertThatThrownBy(() -> store.delete(uuid("demo"))).isInstanceOf(StateException.class);
    }

    @Test
    void anInstanceIsNotCreatedTwice() throws Exception {
        store.create(record("demo"), permanent("first"));
        assertThatThrownBy(() -> store.create(record("demo"), permanent("second")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("exists already");
        assertState(store, "demo", "first");
    }

    @Test
    void anInstanceIsNeverWithoutPermanentState() throws Exception {
        assertThatThrownBy(() -> store.create(record("demo"), Map.of(StateKind.SAVED, bytes("x"))))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("permanent");
        assertThat(store.instances()).isEmpty();
        store.create(record("demo"), permanent("made"));
        assertThatThrownBy(() -> store.save(uuid("demo"), Map.of(StateKind.PERMANENT, new byte[0])))
                .isInstanceOf(StateException.class);
        assertState(store, "demo", "made");
    }

    @Test
    void neitherStateNorKeyIsOnDiskInClear() throws Exception {
        String secret = "a secret to be searched for";
        store.create(record("demo"), permanent(secret));
        store.save(uuid("demo"), Map.of(StateKind.SAVED, bytes(secret)));
        try (Stream<Path> files = Files.walk(root).filter(Files::isRegularFile)) {
            for (Path file : files.toList()) {
                assertThat(new String(Files.readAllBytes(file), UTF_8)).doesNotContain(secret);
            }
        }
    }

    @Test
    void whatIsChangedOnDiskWhileTheManagerRunsIsFoundAndLeftAlone() throws Exception {
        store.create(record("demo"), permanent("first"));
        Path file = root.resolve("journal/0000000000000001");
        byte[] content = Files.readAllBytes(file);
        for (int i = content.length - 1; i >= 0; i--) {
            content[i] ^= 1;
        }
        Files.write(file, content);
        assertThatThrownBy(() -> store.load(uuid("demo")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("Instance " + uuid("demo"))
                .hasMessageContaining("was changed since it was written")
                .hasMessageContaining("Nothing was changed");
        assertThatThrownBy(() -> store.save(uuid("demo"), permanent("second"))).isInstanceOf(StateException.class);
        assertThat(Files.readAllBytes(file)).isEqualTo(content);
    }

    @Test
    void allIsReadableAfterEachKeyWasChanged() throws Exception {
        store.create(record("demo"), permanent("state"));
        store.takeSnapshot(uuid("demo"), "kept");
        store.create(record("other"), permanent("of the other"));
        RootAdmin admin = new RootAdmin(opener().folder(), () -> List.of(new TestRoot()), storage());
        StorageAdmin storage = new StorageAdmin(opener().folder(), store, admin);
        byte[] before = Files.readAllBytes(root.resolve("host.key"));
        for (KeyLevel level : KeyLevel.values()) {
            storage.rotate(level);
            assertState(store, "demo", "state");
            store.save(uuid("other"), permanent("after " + level));
            reopen();
            storage = new StorageAdmin(
                    opener().folder(),
                    store,
                    new RootAdmin(opener().folder(), () -> List.of(new TestRoot()), storage()));
            assertState(store, "demo", "state");
            assertState(store, "other", "after " + level);
            assertThat(storage.verify()).isEmpty();
        }
        assertThat(storage.status().wrappingGeneration()).isEqualTo(2);
        assertThat(Files.readAllBytes(root.resolve("host.key"))).isNotEqualTo(before);
        store.restoreSnapshot(uuid("demo"), "kept");
        assertState(store, "demo", "state");
    }

    @Test
    void recoveryKeysOpenWhatNoRootOpens() throws Exception {
        store.create(record("demo"), permanent("state"));
        RootAdmin admin = new RootAdmin(opener().folder(), () -> List.of(new TestRoot()), storage());
        List<char[]> keys = admin.makeRecoveryKeys(2, 3);
        assertThat(admin.recoveryQuorum()).isEqualTo(2);
        store.close();
        RootOfTrust replaced = new TestRoot("test", "another host");
        assertThatThrownBy(() -> open(replaced)).hasMessageContaining("sealed on another host");
        StorageOpener elsewhere = new StorageOpener(new PosixDisk(), root, () -> List.of(replaced), Runnable::run);
        store = elsewhere.open(held -> held.recover(keys.subList(1, 3)));
        assertState(store, "demo", "state");
    }

    @Test
    void aRootThatIsTheOnlyOneStays() throws Exception {
        RootAdmin admin =
                new RootAdmin(opener().folder(), () -> List.of(new TestRoot(), new TestRoot("second", "x")), storage());
        assertThatThrownBy(() -> admin.withdraw("test")).hasMessageContaining("the storage would not open");
        admin.enroll("second", SealingTerms.NONE);
        admin.withdraw("test");
        assertThat(admin.roots())
                .extracting(RootStatus::name, RootStatus::enrolled)
                .containsExactly(tuple("test", false), tuple("second", true));
        store.close();
        assertThatThrownBy(() -> open(new TestRoot())).hasMessageContaining("sealed by the root of trust second");
        open(new TestRoot("second", "x"));
    }

    @Test
    void aFolderFromBeforeTheJournalIsRefused() throws Exception {
        store.close();
        Files.createDirectory(root.resolve("instances"));
        assertThatThrownBy(() -> open(new TestRoot())).hasMessageContaining("from before the journal");
        Files.delete(root.resolve("instances"));
        open(new TestRoot());
    }

    private StorageOpener opener() throws IOException {
        return new StorageOpener(new PosixDisk(), root, List::of, Runnable::run);
    }

    private RootAdmin.Storage storage() {
        return new RootAdmin.Storage() {
            @Override
            public JournalStore store() {
                return store;
            }

            @Override
            public void open(StorageOpener.Release release) {
                throw new UnsupportedOperationException();
            }
        };
    }

    @Test
    void aSecondStoreOnTheFolderIsRefused() throws Exception {
        assertThatThrownBy(() -> open(new TestRoot()))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("lock is locked by another store");
        store.create(record("demo"), permanent("made"));
        assertState(store, "demo", "made");
    }

    @Test
    void aStoreInAnotherProcessKeepsThisOneOut() throws Exception {
        store.close();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process other = new ProcessBuilder(
                        java, "-cp", System.getProperty("java.class.path"), LockHolder.class.getName(), root.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertThat(other.inputReader().readLine()).isEqualTo("locked");
            assertThatThrownBy(() -> open(new TestRoot()))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("locked by another process");
        } finally {
            other.destroyForcibly().waitFor();
        }
        open(new TestRoot());
    }

    @Test
    void aClosedStoreAnswersWithAnError() throws Exception {
        store.create(record("demo"), permanent("made"));
        store.close();
        assertThatThrownBy(() -> store.load(uuid("demo"))).hasMessageContaining("closed");
        assertThatThrownBy(() -> store.update(record("demo"))).hasMessageContaining("closed");
    }

    @Test
    void manyThreadsOnManyInstancesLoseNothing() throws Exception {
        int instances = 8;
        int saves = 20;
        ExecutorService pool = Executors.newFixedThreadPool(instances);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < instances; i++) {
                String name = "guest" + i;
                all.add(pool.submit(() -> {
                    store.create(record(name), permanent("0"));
                    for (int n = 1; n <= saves; n++) {
                        assertState(store, name, String.valueOf(n - 1));
                        store.save(uuid(name), permanent(String.valueOf(n)));
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            pool.shutdownNow();
        }
        reopen();
        for (int i = 0; i < instances; i++) {
            assertState(store, "guest" + i, String.valueOf(saves));
        }
    }

    @Test
    void theHostKeyNeedsTheRootThatSealedIt() throws Exception {
        store.create(record("demo"), permanent("made"));
        store.close();
        Map<Path, String> before = Digests.of(root);
        assertThatThrownBy(() -> open())
                .hasMessageContaining("host.key does not open")
                .hasMessageContaining("sealed by the root of trust test, which is not there (there is: none)");
        assertThatThrownBy(() -> open(new TestRoot("tpm2", "this host"))).hasMessageContaining("there is: tpm2");
        assertThatThrownBy(() -> open(new TestRoot("test", "another host")))
                .hasMessageContaining("does not open it: sealed on another host");
        assertThat(Digests.of(root)).isEqualTo(before);
        open(new TestRoot("tpm2", "x"), new TestRoot());
        assertState(store, "demo", "made");
    }

    @Test
    void theBestRootSealsANewHostKey() throws Exception {
        store.close();
        Path other = temporary.resolve("other");
        assertThatThrownBy(() -> Samples.open(new PosixDisk(), other))
                .hasMessageContaining("there is no root of trust");
        Samples.open(new PosixDisk(), other, new TestRoot("best", "h"), new TestRoot())
                .close();
        assertThatThrownBy(() -> Samples.open(new PosixDisk(), other, new TestRoot()))
                .hasMessageContaining("sealed by the root of trust best");
    }

    private void open(RootOfTrust... trust) throws IOException {
        open(new PosixDisk(), trust);
    }

    private void open(Disk disk, RootOfTrust... trust) throws IOException {
        store = Samples.open(disk, root, trust);
    }

    private void reopen() throws IOException {
        store.close();
        open(new TestRoot());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
