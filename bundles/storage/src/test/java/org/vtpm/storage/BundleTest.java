package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.suspended;
import static org.vtpm.storage.Samples.uuid;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration.KeyLevel;
import org.vtpm.storage.disk.PosixDisk;
import org.vtpm.storage.key.BundleSeal;

/** Instances are exported from one host's storage and opened by another's. */
class BundleTest {
    private static final byte[] PHRASE = "correct horse battery".getBytes(UTF_8);

    @TempDir
    Path temporary;

    /** A storage folder of a host, open, and what an operator does there. */
    private record Host(JournalStore store, StorageAdmin admin) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            store.close();
        }
    }

    private Host host(String name) throws IOException {
        List<RootOfTrust> roots = List.of(new TestRoot("test", name));
        StorageOpener opener = new StorageOpener(new PosixDisk(), temporary.resolve(name), () -> roots, Runnable::run);
        JournalStore store = opener.open();
        RootAdmin rootAdmin = new RootAdmin(opener.folder(), () -> roots, new RootAdmin.Storage() {
            @Override
            public JournalStore store() {
                return store;
            }

            @Override
            public void open(StorageOpener.Release release) {
                throw new AssertionError("it is open");
            }
        });
        return new Host(store, new StorageAdmin(opener.folder(), store, rootAdmin));
    }

    private static Map<StateKind, String> text(InstanceBundle bundle) {
        Map<StateKind, String> texts = new EnumMap<>(StateKind.class);
        bundle.state().forEach((kind, part) -> texts.put(kind, new String(part, UTF_8)));
        return texts;
    }

    @Test
    void anotherHostGetsWhatIsDurable() throws Exception {
        try (Host here = host("here");
                Host there = host("there")) {
            here.store.create(suspended(record("demo")), permanent("made"));
            here.store.save(
                    uuid("demo"),
                    Map.of(StateKind.SAVED, "saved".getBytes(UTF_8), StateKind.VOLATILE, "volatile".getBytes(UTF_8)));
            Instant before = Instant.now().minusSeconds(1);

            byte[] bundle = here.store.export(uuid("demo"), new BundleRecipient.Host(there.admin.hostKey()));

            assertThat(there.store.bundleLock(bundle)).contains(BundleLock.HOST);
            InstanceBundle opened = there.store.openBundle(bundle, null);
            assertThat(opened.record()).isEqualTo(suspended(record("demo")));
            assertThat(opened.exported()).isBetween(before, Instant.now());
            assertThat(text(opened)).isEqualTo(Map.of(StateKind.PERMANENT, "made", StateKind.SAVED, "saved"));
            assertThat(there.store.instances()).isEmpty();
            assertThatThrownBy(() -> here.store.openBundle(bundle, null))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("this one has no key for bundles yet");
            here.admin.hostKey();
            assertThatThrownBy(() -> here.store.openBundle(bundle, null)).hasMessageContaining(", this is ");
        }
    }

    @Test
    void whoeverKnowsThePassphraseGetsIt() throws Exception {
        try (Host here = host("here");
                Host there = host("there")) {
            here.store.create(record("demo"), permanent("made"));

            byte[] bundle = here.store.export(uuid("demo"), new BundleRecipient.Passphrase(PHRASE));

            assertThat(there.store.bundleLock(bundle)).contains(BundleLock.PASSPHRASE);
            assertThat(text(there.store.openBundle(bundle, PHRASE))).isEqualTo(Map.of(StateKind.PERMANENT, "made"));
            assertThatThrownBy(() -> there.store.openBundle(bundle, "another phrase".getBytes(UTF_8)))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("pass phrase is wrong");
            assertThat(there.store.bundleLock(new byte[20])).isEmpty();
        }
    }

    @Test
    void theHostsKeyStaysThroughRotationsAndRestarts() throws Exception {
        byte[] key;
        byte[] bundle;
        try (Host here = host("here")) {
            here.store.create(record("demo"), permanent("made"));
            key = here.admin.hostKey();
            bundle = here.store.export(uuid("demo"), new BundleRecipient.Host(key));
            for (KeyLevel level : KeyLevel.values()) {
                here.admin.rotate(level);
            }
            assertThat(here.admin.hostKey()).isEqualTo(key);
        }
        try (Host again = host("here")) {
            assertThat(again.admin.hostKey()).isEqualTo(key);
            assertThat(text(again.store.openBundle(bundle, null))).isEqualTo(Map.of(StateKind.PERMANENT, "made"));
        }
    }

    @Test
    void whatCannotBeExportedSaysWhy() throws Exception {
        try (Host here = host("here")) {
            here.store.create(record("demo"), permanent("made"));
            BundleRecipient short11 = new BundleRecipient.Passphrase("elevenbytes".getBytes(UTF_8));
            assertThatThrownBy(() -> here.store.export(uuid("demo"), short11))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining(uuid("demo").toString())
                    .hasMessageContaining("it needs 12");
            assertThatThrownBy(() -> here.store.export(uuid("none"), new BundleRecipient.Passphrase(PHRASE)))
                    .hasMessageContaining("There is no instance");
        }
    }

    /** Somebody with the host's public key can make a bundle of anything. */
    @Test
    void hostileContentIsRefused() throws Exception {
        try (Host here = host("here")) {
            BundleRecipient recipient = new BundleRecipient.Host(here.admin.hostKey());
            byte[] good = BundleContent.encode(record("demo"), Instant.now(), permanent("made"));
            SecureRandom random = new SecureRandom();
            for (int length = 0; length < good.length; length++) {
                byte[] cut = BundleSeal.seal(recipient, Arrays.copyOf(good, length), random);
                assertThatThrownBy(() -> here.store.openBundle(cut, null))
                        .as("length " + length)
                        .isInstanceOf(StateException.class);
            }
            int kind = good.length - "made".length() - 5;
            byte[] unknown = good.clone();
            unknown[kind] = 6;
            refused(here, BundleSeal.seal(recipient, unknown, random), "unknown kind 6");
            byte[] onlySaved = good.clone();
            onlySaved[kind] = 5;
            refused(here, BundleSeal.seal(recipient, onlySaved, random), "permanent state is missing");
            byte[] twice = Arrays.copyOf(good, good.length + 9);
            System.arraycopy(good, kind, twice, good.length, 9);
            refused(here, BundleSeal.seal(recipient, twice, random), "twice");
            byte[] never = good.clone();
            ByteBuffer.wrap(never).putLong(16, Long.MAX_VALUE);
            refused(here, BundleSeal.seal(recipient, never, random), "time of its export");
        }
    }

    private static void refused(Host host, byte[] bundle, String message) {
        assertThatThrownBy(() -> host.store.openBundle(bundle, null))
                .isInstanceOf(StateException.class)
                .hasMessageContaining(message);
    }
}
