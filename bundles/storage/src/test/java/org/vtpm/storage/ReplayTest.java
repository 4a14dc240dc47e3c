package org.vtpm.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.uuid;

import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration.ReplayPolicy;
import org.vtpm.api.storage.StorageStatus;
import org.vtpm.storage.disk.SimulatedDisk;

/** Older copies of the storage take the place of the latest, and crashes come between the journal and the counter. */
class ReplayTest {
    private static final Path ROOT = Path.of("/storage");

    private final CountingRoot root = new CountingRoot();
    private SimulatedDisk disk = new SimulatedDisk();
    private JournalStore store;

    @BeforeEach
    void fill() throws Exception {
        store = open(disk);
        admin().enroll("test", SealingTerms.NONE);
        store.create(record("first"), permanent("old"));
        store.create(record("second"), permanent("of the other"));
    }

    @Test
    void theLatestOpens() throws Exception {
        store.save(uuid("first"), permanent("new"));
        reopen();
        assertState(store, "first", "new");
        assertThat(status().problem()).isEmpty();
        assertThat(status().unanchored()).isZero();
        assertThat(status().refused()).isEmpty();
    }

    @Test
    void whatWasStoredAfterTheLastAnchorIsThereAfterACrash() throws Exception {
        store.save(uuid("first"), permanent("new"));
        store = open(crashed());
        assertState(store, "first", "new");
        assertThat(status().unanchored()).isPositive();
        store.guard().anchor();
        assertThat(status().unanchored()).isZero();
    }

    @Test
    void anOlderCopyStaysClosedAndNothingInItChanges() throws Exception {
        SimulatedDisk copy = closed();
        store = open(disk);
        store.save(uuid("first"), permanent("new"));
        store.close();

        store = open(copy);
        for (String name : List.of("first", "second")) {
            assertThatThrownBy(() -> store.load(uuid(name)))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("Instance " + uuid(name) + " stays closed")
                    .hasMessageContaining("older than what was stored last")
                    .hasMessageContaining("vtpm:storage revert");
            assertThatThrownBy(() -> store.save(uuid(name), permanent("x"))).hasMessageContaining("stays closed");
            assertThatThrownBy(() -> store.export(uuid(name), new BundleRecipient.Passphrase(new byte[12])))
                    .hasMessageContaining("stays closed");
        }
        assertThat(store.instances()).hasSize(2);
        int raised = root.raised();
        store.guard().anchor();
        store.close();
        assertThat(root.raised()).isEqualTo(raised);
        store = open(copy);
        assertThatThrownBy(() -> store.load(uuid("first"))).hasMessageContaining("older than what was stored last");
        store.close();

        store = open(disk);
        assertState(store, "first", "new");
    }

    @Test
    void writingSomethingElseToAnOlderCopyDoesNotWashItClean() throws Exception {
        SimulatedDisk copy = closed();
        store = open(disk);
        store.save(uuid("first"), permanent("new"));
        store.close();

        store = open(copy);
        store.create(record("third"), permanent("fresh"));
        assertState(store, "third", "fresh");
        reopen(copy);
        assertState(store, "third", "fresh");
        assertThat(status().refused()).containsExactlyInAnyOrder(uuid("first"), uuid("second"));
        assertThatThrownBy(() -> store.load(uuid("first"))).hasMessageContaining("older than what was stored last");
        store.delete(uuid("second"));
        reopen(copy);
        assertThat(status().refused()).containsExactly(uuid("first"));
    }

    @Test
    void theOperatorSignsForOneInstanceOnce() throws Exception {
        KeyPairGenerator p256 = KeyPairGenerator.getInstance("EC");
        p256.initialize(256);
        KeyPair operator = p256.generateKeyPair();
        admin(store).operatorKey(operator.getPublic().getEncoded());
        assertThatThrownBy(() -> admin(store).revertToken(uuid("first"))).hasMessageContaining("nothing is to sign");
        SimulatedDisk copy = closed();
        store = open(disk);
        store.save(uuid("first"), permanent("new"));
        store.close();

        store = open(copy);
        byte[] token = admin(store).revertToken(uuid("first"));
        byte[] signature = sign(operator, token);
        assertThatThrownBy(() -> admin(store).revert(uuid("second"), signature))
                .hasMessageContaining("is not the operator's over the token");
        byte[] wrong = signature.clone();
        wrong[wrong.length - 1] ^= 1;
        assertThatThrownBy(() -> admin(store).revert(uuid("first"), wrong)).isInstanceOf(StateException.class);
        SimulatedDisk again = copy.copy();
        admin(store).revert(uuid("first"), signature);
        assertState(store, "first", "old");
        assertThatThrownBy(() -> store.load(uuid("second"))).hasMessageContaining("stays closed");
        reopen(copy);
        assertState(store, "first", "old");
        assertThatThrownBy(() -> store.load(uuid("second"))).hasMessageContaining("stays closed");
        store.save(uuid("first"), permanent("went on"));
        store.close();

        store = open(again);
        assertThatThrownBy(() -> admin(store).revert(uuid("first"), signature))
                .as("the counter has moved, and with it the token")
                .hasMessageContaining("is not the operator's over the token");
    }

    @Test
    void auditStartsAndAnchorsAnew() throws Exception {
        admin(store).replayPolicy(ReplayPolicy.AUDIT);
        SimulatedDisk copy = closed();
        store = open(disk);
        store.save(uuid("first"), permanent("new"));
        store.close();
        store = open(copy);
        assertState(store, "first", "old");
        store.close();
        store = open(disk);
        assertThat(status().replayPolicy()).isEqualTo(ReplayPolicy.AUDIT);
        assertState(store, "first", "new");
    }

    @ParameterizedTest
    @EnumSource(names = {"REFUSES", "ANSWER_LOST"})
    void aCrashBetweenAnchorAndCounterNeedsNoOperator(CountingRoot.Fault fault) throws Exception {
        store.save(uuid("first"), permanent("new"));
        root.fault(fault);
        store.guard().anchor();
        assertThat(status().problem()).isNotEmpty();
        SimulatedDisk copy = crashed();
        root.fault(CountingRoot.Fault.NONE);

        store = open(copy);
        assertState(store, "first", "new");
        assertThat(status().problem()).isEmpty();
        assertThat(status().refused()).isEmpty();
    }

    /** Who copied the disk while the counter could not be raised has nothing that opens once it was. */
    @ParameterizedTest
    @EnumSource(names = {"REFUSES", "ANSWER_LOST"})
    void aCopyFromDuringAnOutageIsOld(CountingRoot.Fault fault) throws Exception {
        store.save(uuid("first"), permanent("during"));
        root.fault(fault);
        store.guard().anchor();
        SimulatedDisk copy = crashed();
        root.fault(CountingRoot.Fault.NONE);
        store.save(uuid("first"), permanent("after"));
        store.guard().anchor();
        assertThat(status().problem()).isEmpty();
        SimulatedDisk latest = crashed();

        store = open(copy);
        assertThatThrownBy(() -> store.load(uuid("first"))).hasMessageContaining("older than what was stored last");
        store.close();
        store = open(latest);
        assertState(store, "first", "after");
    }

    @Test
    void withoutItsCounterTheStorageStaysClosedUntilItIsBack() throws Exception {
        store.close();
        RootOfTrust bare = new TestRoot();
        store = Samples.open(disk, ROOT, bare);
        assertThatThrownBy(() -> store.load(uuid("first"))).hasMessageContaining("cannot be told");
        store.close();
        List<RootOfTrust> roots = new ArrayList<>(List.of(bare));
        store = new StorageOpener(disk, ROOT, () -> roots, Runnable::run).open();
        assertThat(status().refused()).hasSize(2);
        roots.set(0, root);
        store.guard().check();
        assertState(store, "first", "old");
        assertThat(status().refused()).isEmpty();
    }

    @Test
    void aClearedTpmNeedsTheOperator() throws Exception {
        store.close();
        root.clear();
        store = open(disk);
        assertThatThrownBy(() -> store.load(uuid("first"))).hasMessageContaining("there is no such counter");
        admin().reseal("test", new byte[0]);
        assertThatThrownBy(() -> store.load(uuid("first")))
                .as("a new counter knows nothing of what was there before")
                .hasMessageContaining("stays closed");
        reopen(disk);
        assertThat(status().refused()).hasSize(2);
        store.create(record("third"), permanent("fresh"));
        reopen(disk);
        assertState(store, "third", "fresh");
    }

    @Test
    void whatIsCreatedTogetherIsAnchoredTogether() throws Exception {
        store.close();
        List<Runnable> later = new ArrayList<>();
        store = new StorageOpener(disk, ROOT, () -> List.of(root), later::add).open();
        int raised = root.raised();
        for (int i = 0; i < 20; i++) {
            store.create(record("more" + i), permanent("of many"));
        }
        store.delete(uuid("more3"));
        assertThat(root.raised()).isEqualTo(raised);
        assertThat(later).hasSize(1);
        later.get(0).run();
        assertThat(root.raised()).isEqualTo(raised + 1);
        assertThat(status().unanchored()).isZero();
        store.create(record("one_more"), permanent("afterwards"));
        assertThat(later).hasSize(2);
    }

    @Test
    void theCounterIsNotRaisedForNothing() throws Exception {
        store.guard().anchor();
        int raised = root.raised();
        for (int i = 0; i < 100; i++) {
            store.save(uuid("first"), permanent("number " + i));
        }
        assertThat(root.raised()).isEqualTo(raised);
        store.guard().anchor();
        store.guard().anchor();
        assertThat(root.raised()).isEqualTo(raised + 1);
        reopen(disk);
        store.guard().anchor();
        assertThat(root.raised()).isEqualTo(raised + 1);
    }

    private byte[] sign(KeyPair operator, byte[] token) throws Exception {
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign(operator.getPrivate());
        signer.update(token);
        return signer.sign();
    }

    /** A copy of the disk as an orderly stop leaves it; the store is closed. */
    private SimulatedDisk closed() throws IOException {
        store.close();
        return disk.copy();
    }

    /** The disk as it is after the process was killed now: all that was acknowledged is there. */
    private SimulatedDisk crashed() {
        return disk.copy();
    }

    private void reopen() throws IOException {
        reopen(disk);
    }

    private void reopen(SimulatedDisk which) throws IOException {
        store.close();
        store = open(which);
    }

    private JournalStore open(SimulatedDisk which) throws StateException {
        return Samples.open(which, ROOT, root);
    }

    private StorageStatus status() {
        return admin(store).status();
    }

    private RootAdmin admin() {
        return new RootAdmin(new StorageFolder(disk, ROOT), () -> List.of(root), new RootAdmin.Storage() {
            @Override
            public JournalStore store() {
                return store;
            }

            @Override
            public void open(StorageOpener.Release release) {
                throw new UnsupportedOperationException();
            }
        });
    }

    private StorageAdmin admin(JournalStore which) {
        return new StorageAdmin(new StorageFolder(disk, ROOT), which, admin());
    }
}
