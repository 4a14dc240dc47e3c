package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.StateException;

class FolderStoreTest {
    @TempDir
    Path temporary;

    private Path root;
    private FolderStore store;

    @BeforeEach
    void openStore() throws Exception {
        root = temporary.resolve("vtpm/storage");
        store = open(new TestRoot());
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
        assertThat(names(root.resolve("instances"))).isEmpty();
        store.create(record("demo"), permanent("again"));
        assertState(store, "demo", "again");
    }

    @Test
    void whatDoesNotExistIsNotMadeByTheWay() throws Exception {
        assertThatThrownBy(() -> store.save(uuid("demo"), permanent("x"))).isInstanceOf(StateException.class);
        assertThatThrownBy(() -> store.update(record("demo"))).isInstanceOf(StateException.class);
        assertThatThrownBy(() -> store.delete(uuid("demo"))).isInstanceOf(StateException.class);
        assertThat(names(root.resolve("instances"))).isEmpty();
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
        byte[] first = Files.readAllBytes(file("demo", "state"));
        store.save(uuid("demo"), Map.of());
        assertThat(Files.readAllBytes(file("demo", "state"))).isNotEqualTo(first);
    }

    @Test
    void theNameOfAnInstanceIsNoFileName() throws Exception {
        String name = "../../" + "n".repeat(300);
        store.create(record(name), permanent("made"));
        assertThat(names(root.resolve("instances"))).containsExactly(uuid(name).toString());
        reopen();
        assertThat(store.instances()).containsExactly(record(name));
    }

    @Test
    void olderStateThanWasStoredIsRefusedWhileTheManagerRuns() throws Exception {
        store.create(record("demo"), permanent("first"));
        byte[] old = Files.readAllBytes(file("demo", "state"));
        store.save(uuid("demo"), permanent("second"));
        Files.write(file("demo", "state"), old);
        assertThatThrownBy(() -> store.load(uuid("demo"))).hasMessageContaining("older");
        assertThatThrownBy(() -> store.save(uuid("demo"), permanent("third"))).hasMessageContaining("older");
        assertThat(Files.readAllBytes(file("demo", "state"))).isEqualTo(old);
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
        store = open(new TestRoot());
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
    void aSaveThatHangsHoldsUpNoOtherInstance() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        store.create(record("slow"), permanent("old"));
        store.create(record("quick"), permanent("old"));
        store.close();
        store = StorageOpener.open(new HangingDisk(uuid("slow").toString(), hanging, release), root, roots());
        Thread slow = new Thread(() -> assertSaves("slow"));
        slow.start();
        assertThat(hanging.await(30, TimeUnit.SECONDS)).isTrue();
        store.save(uuid("quick"), permanent("new"));
        assertState(store, "quick", "new");
        release.countDown();
        slow.join();
        assertState(store, "slow", "new");
    }

    @Test
    void theHostKeyNeedsTheRootThatSealedIt() throws Exception {
        store.create(record("demo"), permanent("made"));
        store.close();
        Map<Path, String> before = Digests.of(root);
        assertThatThrownBy(() -> StorageOpener.open(new PosixDisk(), root, List.of()))
                .hasMessageContaining("host.key cannot be used")
                .hasMessageContaining("sealed by the root of trust test, which is not there (there is: none)");
        assertThatThrownBy(() -> open(new TestRoot("tpm2", "this host"))).hasMessageContaining("there is: tpm2");
        assertThatThrownBy(() -> open(new TestRoot("test", "another host")))
                .hasMessageContaining("does not open it: sealed on another host");
        assertThat(Digests.of(root)).isEqualTo(before);
        store = StorageOpener.open(new PosixDisk(), root, List.of(new TestRoot("tpm2", "x"), new TestRoot()));
        assertState(store, "demo", "made");
    }

    @Test
    void theBestRootSealsANewHostKey() throws Exception {
        store.close();
        Path other = temporary.resolve("other");
        assertThatThrownBy(() -> StorageOpener.open(new PosixDisk(), other, List.of()))
                .hasMessageContaining("there is no root of trust");
        StorageOpener.open(new PosixDisk(), other, List.of(new TestRoot("best", "h"), new TestRoot()))
                .close();
        assertThatThrownBy(() -> StorageOpener.open(new PosixDisk(), other, roots()))
                .hasMessageContaining("sealed by the root of trust best");
    }

    private void assertSaves(String name) {
        try {
            store.save(uuid(name), permanent("new"));
        } catch (StateException e) {
            throw new AssertionError(e);
        }
    }

    private FolderStore open(RootOfTrust trust) throws IOException {
        return StorageOpener.open(new PosixDisk(), root, List.of(trust));
    }

    private void reopen() throws IOException {
        store.close();
        store = open(new TestRoot());
    }

    private static List<RootOfTrust> roots() {
        return List.of(new TestRoot());
    }

    private Path file(String instance, String name) {
        return root.resolve("instances").resolve(uuid(instance).toString()).resolve(name);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
