package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.uuid;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration.KeyLevel;
import org.vtpm.storage.disk.SimulatedDisk;

class ForeignKeysTest {
    private static final Path ROOT = Path.of("/storage");
    private static final UUID STUBDOM = uuid("stubdom");

    private final CountingRoot root = new CountingRoot();
    private SimulatedDisk disk = new SimulatedDisk();
    private JournalStore store;
    private KeyVault vault;

    @BeforeEach
    void fill() throws Exception {
        open(disk);
        store.create(record("demo"), permanent("made"));
    }

    private void open(SimulatedDisk from) throws StateException {
        disk = from;
        store = Samples.open(disk, ROOT, root);
        vault = store.foreignKeys();
    }

    private void reopen() throws Exception {
        store.close();
        open(disk);
    }

    private String key(UUID owner) throws StateException {
        return vault.load(owner).map(key -> new String(key, UTF_8)).orElse("none");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @Test
    void aKeyIsKeptUntilTheNextOne() throws Exception {
        assertThat(key(STUBDOM)).isEqualTo("none");
        vault.store(STUBDOM, bytes("first"));
        reopen();
        assertThat(key(STUBDOM)).isEqualTo("first");
        vault.store(STUBDOM, bytes("second"));
        assertThat(key(STUBDOM)).isEqualTo("second");
        reopen();
        assertThat(key(STUBDOM)).isEqualTo("second");
        assertThat(vault.owners()).containsExactly(STUBDOM);
    }

    @Test
    void keysAndInstancesAreNotEachOther() throws Exception {
        vault.store(STUBDOM, bytes("key"));
        assertThat(store.instances()).containsExactly(record("demo"));
        assertThat(store.size()).isEqualTo(1);
        assertThat(key(uuid("demo"))).isEqualTo("none");
        assertThatThrownBy(() -> vault.store(uuid("demo"), bytes("key")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("is one of this manager");
        assertThatThrownBy(() -> vault.delete(uuid("demo"))).isInstanceOf(StateException.class);
        assertThatThrownBy(() -> store.create(record("stubdom"), permanent("made")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("exists already");
        assertThatThrownBy(() -> store.load(STUBDOM)).isInstanceOf(StateException.class);
        assertState(store, "demo", "made");
        assertThat(key(STUBDOM)).isEqualTo("key");
    }

    @Test
    void aDeletedKeyIsGone() throws Exception {
        vault.store(STUBDOM, bytes("key"));
        vault.delete(STUBDOM);
        assertThat(key(STUBDOM)).isEqualTo("none");
        assertThatThrownBy(() -> vault.delete(STUBDOM)).isInstanceOf(StateException.class);
        reopen();
        assertThat(vault.owners()).isEmpty();
        store.create(record("stubdom"), permanent("an instance now"));
        assertState(store, "stubdom", "an instance now");
    }

    @Test
    void keysOutliveTheRotationOfAllOthers() throws Exception {
        vault.store(STUBDOM, bytes("key"));
        StorageAdmin admin = new StorageAdmin(new StorageFolder(disk, ROOT), store, roots());
        for (KeyLevel level : KeyLevel.values()) {
            admin.rotate(level);
            assertThat(key(STUBDOM)).isEqualTo("key");
            assertState(store, "demo", "made");
        }
        store.journal().compact();
        reopen();
        assertThat(key(STUBDOM)).isEqualTo("key");
    }

    @Test
    void anOlderCopyOfAKeyStaysClosed() throws Exception {
        roots().enroll("test", SealingTerms.NONE);
        vault.store(STUBDOM, bytes("old"));
        store.close();
        SimulatedDisk copy = disk.copy();
        open(disk);
        vault.store(STUBDOM, bytes("new"));
        store.close();

        open(copy);
        assertThatThrownBy(() -> key(STUBDOM)).hasMessageContaining("older than what was stored last");
        assertThatThrownBy(() -> vault.store(STUBDOM, bytes("x"))).hasMessageContaining("stays closed");
        assertThat(store.reverts().token(STUBDOM)).asString(UTF_8).contains("instance " + STUBDOM);
        vault.delete(STUBDOM);
        assertThat(vault.owners()).isEmpty();
    }

    private RootAdmin roots() {
        return new RootAdmin(new StorageFolder(disk, ROOT), () -> List.of(root), new RootAdmin.Storage() {
            @Override
            public JournalStore store() {
                return store;
            }

            @Override
            public void open(StorageOpener.Release release) {
                throw new AssertionError("it is open");
            }
        });
    }

    @Test
    void whatIsNoKeyIsRefused() throws Exception {
        assertThatIllegalArgumentException().isThrownBy(() -> vault.store(STUBDOM, new byte[0]));
        assertThatIllegalArgumentException().isThrownBy(() -> vault.store(STUBDOM, new byte[KeyVault.LONGEST + 1]));
        assertThat(vault.owners()).isEmpty();
    }
}
